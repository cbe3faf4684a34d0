"""A plan from its file to its report: read, priced, shown, asked about, planned row by row, carried out."""

from __future__ import annotations

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from unicodedata import normalize

from smm_rules.actions.unbroken import unbroken
from smm_rules.cli.asking import ask_for_number
from smm_rules.cli.context import operator_name
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.naming import default_panel, panels_of
from smm_rules.cli.orders.market import PricedLedger, read_balance, read_services
from smm_rules.cli.orders.permitted import refuse_stopped, refuse_unless_live
from smm_rules.cli.orders.plan.judging import Fate, Judged, PanelMarket, judge, key_of, known_rows
from smm_rules.cli.orders.plan.report import Report
from smm_rules.cli.orders.plan.sending import Sending, progress
from smm_rules.cli.orders.plan.table import show_plan
from smm_rules.cli.terminal import counted, errors, output, print_json, safe
from smm_rules.clock import Clock, SystemClock
from smm_rules.config.model import Configuration
from smm_rules.daemon.parts import endpoint_of
from smm_rules.engine.buying import SERVICE
from smm_rules.intake import IntakeOptions
from smm_rules.intake.plan_file import PlanContent, read_plan
from smm_rules.ledger.opening import open_ledger
from smm_rules.ledger.plans import NEVER_SENT, NOTHING_BOUGHT, PlannedRow, RowKey
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import IntentState
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.client import PanelClient

#: How many rows one transaction plans.
CHUNK = 100
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator asked for. `patience` is how long a daemon is waited for, None for not at all."""

    file: Path
    name: str
    panel: str | None
    report: Path | None
    again: bool
    retry: bool
    yes: bool
    patience: float | None
    as_json: bool


def plan_name(file: Path, given: str | None) -> str:
    """The plan's name: what was given, else the file's without its ending."""
    name = normalize("NFC", file.stem if given is None else given).strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable() or "/" in name:
        told = f"A plan's name is plain text of at most {_LONGEST_NAME} characters without a slash"
        raise Stop(f"{told}; give one with --name.", Exit.USAGE)
    return name


def report_path(wishes: Wishes) -> Path:
    """Where the report goes: beside the file, with the plan's name where that is another one."""
    if wishes.report is not None:
        if wishes.report.resolve() == wishes.file.resolve():
            raise Stop("--report is the plan itself; name another file.", Exit.USAGE)
        return wishes.report
    own = "" if wishes.name == wishes.file.stem else f".{wishes.name}"
    return wishes.file.with_name(f"{wishes.file.stem}{own}.report.csv")


async def place_plan(configuration: Configuration, wishes: Wishes) -> Exit:
    """Show a plan and, with consent, place it. The exit code says whether all of it is bought."""
    clock = SystemClock()
    options = IntakeOptions(clock.now(), panels_of(configuration), default_panel(wishes.panel, configuration))
    content = read_plan(wishes.file, options)
    report = Report(report_path(wishes), wishes.name)
    reported = report.before()
    async with AsyncExitStack() as stack:
        clients = {
            panel: await stack.enter_async_context(_client(configuration, panel))
            for panel in sorted({one.purchase.panel for one in content.entries if one.purchase is not None})
        }
        ledger = PricedLedger(await open_ledger(configuration))
        stack.push_async_callback(ledger.aclose)
        channel = configuration.operator.channel if configuration.operator else None
        voice = OperatorVoice(ledger, channel, configuration.page_url)
        keys = [key_of(entry, wishes.name) for entry in content.entries]
        sending = Sending(ledger, clients, clock, voice, keys)
        await ledger.daemon()  # who may not see whether one runs learns it before anything is planned
        if isinstance(configuration.ledger, Path):  # else the command may have run on another machine
            await sending.recover()
        await _refuse_same_file(ledger, content, wishes)
        known = await known_rows(ledger, wishes.name, content.entries)
        markets = await _markets(ledger, clients, configuration, content, clock)
        judged = await judge(
            content.entries, wishes.name, known, reported, markets, clock.now(), retry=wishes.retry
        )
        judged = await _foreseen(ledger, judged, clock)
        show_plan(judged, markets)
        wanted = [one for one in judged if one.fate is Fate.PLACE]
        waiting = [one for one in judged if one.fate is Fate.UNDER_WAY]
        if wanted or waiting:
            refuse_unless_live(configuration)
            await refuse_stopped(ledger, clients, clock.now())
            _ask(wanted, waiting, wishes)
            report.write(judged, known)
            try:
                await _plan(ledger, content, wishes, wanted, clock)
                report.write(judged, await sending.rows())
                with progress(len(keys)) as told:
                    await sending.finish(wishes.patience, told)
            except BaseException:
                with suppress(LedgerError):
                    await sending.withdraw_all()
                errors().print(f"It was cut short; {safe(report.path)} says how each row stands.")
                raise
            finally:
                report.write(judged, await sending.rows())
        after = await sending.rows()
        if not (wanted or waiting):
            report.write(judged, after)
    return _tell(judged, after, report, wishes)


def _client(configuration: Configuration, panel: str) -> PanelClient:
    settings = configuration.panel(panel)
    assert settings is not None, "the file's panels were checked"
    return PanelClient(endpoint_of(settings, os.environ))


async def _refuse_same_file(ledger: PricedLedger, content: PlanContent, wishes: Wishes) -> None:
    """The very same file under another name is most often a slip; rows with references need no such care."""
    if wishes.again or any(entry.reference for entry in content.entries):
        return
    other = await ledger.same_plan_file(content.digest, wishes.name)
    if other is not None and await ledger.plan_file(wishes.name) is None:
        raise Stop(
            f'This very file was placed as plan "{other.name}" on {other.at:%Y-%m-%d}. Nothing was placed. '
            f"To go on with that one: --name {other.name}; to buy all of it a second time: --again.",
            Exit.USAGE,
        )


async def _markets(
    ledger: PricedLedger,
    clients: Mapping[str, PanelClient],
    configuration: Configuration,
    content: PlanContent,
    clock: Clock,
) -> dict[str, PanelMarket]:
    services: defaultdict[str, set[str]] = defaultdict(set)
    for entry in content.entries:
        if entry.purchase is not None:
            services[entry.purchase.panel].add(entry.purchase.parameters[SERVICE])
    found = {}
    for panel, wanted in services.items():
        settings, client = configuration.panel(panel), clients[panel]
        assert settings is not None, "the file's panels were checked"
        rows = await read_services(ledger, client, settings, wanted, clock.now())
        balance = await read_balance(ledger, client, panel, clock)
        aside = await ledger.reserved(panel)
        reserved = sum(
            (amount for currency, amount in aside.items() if currency in ("", balance.currency or "")),
            Decimal(0),
        )
        found[panel] = PanelMarket(rows, balance, reserved)
    return found


async def _foreseen(ledger: PricedLedger, judged: Sequence[Judged], clock: Clock) -> list[Judged]:
    """The rows with what guards would hold of them."""
    drafts = [one.draft for one in judged if one.draft is not None]
    guards = iter(await ledger.foresee(drafts, clock.now()))
    found = []
    for one in judged:
        guarded = next(guards) if one.draft is not None else None
        found.append(replace(one, guard=guarded))
    return found


def _ask(wanted: Sequence[Judged], waiting: Sequence[Judged], wishes: Wishes) -> None:
    count = len(wanted) + len(waiting)
    before = f" ({len(waiting)} of them planned before)" if waiting else ""
    ask_for_number(f"Place {counted(count, 'order')}{before}?", count, wishes.yes)


async def _plan(
    ledger: PricedLedger, content: PlanContent, wishes: Wishes, wanted: Sequence[Judged], clock: Clock
) -> None:
    again = NOTHING_BOUGHT if wishes.retry else NEVER_SENT
    rows = [one.row for one in wanted]
    for begin in range(0, len(rows), CHUNK):
        chunk = rows[begin : begin + CHUNK]
        planning = ledger.place_plan(wishes.name, content.digest, chunk, again, clock.now(), operator_name())
        _, stopped = await unbroken(planning)  # what is withdrawn then must be all there is
        if stopped:
            raise asyncio.CancelledError


def _tell(
    judged: Sequence[Judged], after: Mapping[RowKey, PlannedRow], report: Report, wishes: Wishes
) -> Exit:
    """How the plan stands, and as an exit code whether all of it is bought."""
    counts = Counter(_state(one, after.get(one.key)) for one in judged)
    if wishes.as_json:
        print_json({"plan": wishes.name, "report": report.path, "rows": dict(counts)})
    else:
        told = ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items()))
        output().print(f"{safe(told)}. Report: {safe(report.path)}")
    if counts[IntentState.UNKNOWN.value]:
        errors().print(
            "[bold red]IN DOUBT[/]: some orders may have been taken or not. Do NOT place them in another way "
            "before you know; see: smm-rules intents list --state unknown"
        )
    bought = counts[IntentState.CONFIRMED.value] + counts[Fate.BOUGHT.value]
    waits = counts[IntentState.PLANNED.value] + counts[IntentState.SENDING.value]
    enough = bought + waits if wishes.patience is None else bought
    return Exit.DONE if enough == len(judged) else Exit.FAILED


def _state(one: Judged, planned: PlannedRow | None) -> str:
    """How a row stands: its intent's state, or that it is none."""
    if one.fate is Fate.REFUSED or planned is None:
        return Fate.REFUSED.value
    return Fate.BOUGHT.value if planned.intent is None else planned.intent.state.value
