"""`smm-rules status`: panels, orders, intents and messages at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import click
from rich.console import Console

from smm_rules.cli.brakes.targets import brake_shape, in_words
from smm_rules.cli.context import asynchronous, config_option, json_option, open_ledger, read_configuration
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.terminal import counted, new_table, output, print_json, print_table, safe
from smm_rules.clock import SystemClock
from smm_rules.facts import format_duration
from smm_rules.ledger.records import Intent, IntentState, MessageState
from smm_rules.rules.model import StepKind
from smm_rules.standing.overview import (
    MOST_LISTED,
    DaemonStanding,
    DaemonState,
    PanelStanding,
    Standing,
    gather,
)

#: An order that waits this much longer than it should is worth a colour.
_LATE = timedelta(minutes=15)
#: Actions that make something with an ID of its own, which a verdict names.
_BUYS = frozenset({StepKind.REORDER, StepKind.ADD})
_LONGEST_TOLD = 200
_MODES = {"dry_run": " in a dry run", "shadow": " in the shadow, where nothing is sent"}


@click.command("status")
@config_option
@json_option
@click.option("--check", is_flag=True, help="Exit code 1 unless the daemon runs and beats.")
@asynchronous
async def command(config_path: Path | None, as_json: bool, check: bool) -> int:
    """Show how the daemon, its panels, its orders and its actions stand."""
    configuration = read_configuration(config_path)
    if isinstance(configuration.ledger, Path) and not configuration.ledger.is_file():
        raise Stop(
            f"There is no ledger {configuration.ledger} yet. The daemon makes it: smm-rules run.", Exit.LEDGER
        )
    now = SystemClock().now()
    async with open_ledger(configuration) as ledger:
        standing = await gather(ledger, configuration, now)
        observations = await ledger.observations() if as_json else 0
    if as_json:
        print_json(_as_json(standing, observations, str(configuration.ledger), now))
    else:
        _print(standing, output(), now)
    healthy = standing.daemon.state is DaemonState.RUNNING
    return int(Exit.DONE if healthy or not check else Exit.FAILED)


def _print(standing: Standing, console: Console, now: datetime) -> None:
    for line in _lines(standing, now):
        console.print(line)
    console.print()
    _print_panels(standing.panels, now)
    if standing.rules:
        console.print()
        table = new_table("Rule", "Remembers")
        for rule, count in standing.rules.items():
            table.add_row(safe(rule), f"{count:,}")
        print_table(table)


def _lines(standing: Standing, now: datetime) -> Iterator[str]:
    yield from (f"[bold red]stopped[/]   {safe(in_words(stop))}" for stop in standing.stops)
    yield from _on_hold(standing)
    yield from _unstamped(standing)
    yield from _in_doubt(standing)
    yield f"daemon    {_daemon(standing.daemon, now)}"
    if standing.daemon.workers:
        yield f"workers   {len(standing.daemon.workers)}: process {safe('; '.join(standing.daemon.workers))}"
    if standing.daemon.http_intake and standing.daemon.state is DaemonState.RUNNING:
        yield f"intake    by HTTP, {safe(standing.daemon.http_intake)}"
    yield f"orders    {_orders(standing, now)}"
    yield f"intents   {_counts(standing.totals.intents, 'none yet')}"
    yield from _waiting(standing)
    yield f"messages  {_messages(standing)}"
    yield f"reserved  {_reserved(standing)}"


def _on_hold(standing: Standing) -> Iterator[str]:
    if standing.held_back is not None:
        yield f"[bold red]on hold, nothing is sent:[/] {standing.held_back.sentence}"
        yield "  smm-rules hold show"
        yield ""


def _unstamped(standing: Standing) -> Iterator[str]:
    if standing.stamp_trouble:
        yield f"[bold red]nothing is sent:[/] {safe(standing.stamp_trouble)}"
        yield "  smm-rules doctor"
        yield ""


def _in_doubt(standing: Standing) -> Iterator[str]:
    """First of all: what nobody but the operator can settle."""
    total = standing.totals.intents.get(IntentState.UNKNOWN, 0)
    if not total:
        return
    yield f"[bold red]{counted(total, 'action')} in doubt:[/] it may have happened or not; you decide"
    for intent in standing.unknown:
        yield f"  [red]{safe(_action(intent))}[/]"
        happened = "--happened ORDER" if intent.kind in _BUYS else "--happened"
        yield f"    smm-rules intents resolve {intent.id} {happened} | --did-not"
    yield from _rest(total, len(standing.unknown), IntentState.UNKNOWN)
    yield ""


def _waiting(standing: Standing) -> Iterator[str]:
    for intent in standing.held:
        yield f"  [yellow]held[/] {safe(_action(intent))}: {safe(_short(intent.message or intent.reason))}"
        yield f"    smm-rules intents approve {intent.id} | smm-rules intents deny {intent.id}"
    yield from _rest(standing.totals.intents.get(IntentState.HELD, 0), len(standing.held), IntentState.HELD)
    for one in standing.behind[:MOST_LISTED]:
        yield f"  [yellow]waits[/] {safe(_action(one.intent))}"
        yield f"    behind intent {one.other.id}, which is stopped: smm-rules intents show {one.intent.id}"
    if len(standing.behind) > MOST_LISTED:
        yield f"  and {len(standing.behind) - MOST_LISTED:,} more wait behind what is stopped"


def _rest(total: int, listed: int, state: IntentState) -> Iterator[str]:
    if total > listed:
        yield f"  and {total - listed:,} more: smm-rules intents list --state {state}"


def _action(intent: Intent) -> str:
    cost = "" if intent.reserved is None else f", {intent.reserved:f} {intent.currency or ''}".rstrip()
    return f"{intent.id}: {intent.kind} for {intent.entity} on {intent.panel} (rule {intent.rule}{cost})"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TOLD else text[: _LONGEST_TOLD - 1] + "…"


def _daemon(daemon: DaemonStanding, now: datetime) -> str:
    process = f", process {daemon.process}" if daemon.process else ""
    beat = f", last heartbeat {_ago(daemon.beat_at, now)}" if daemon.beat_at else ""
    match daemon.state:
        case DaemonState.RUNNING:
            mode = _MODES.get(daemon.mode, "")
            return f"[green]running[/]{mode}{process}{beat}"
        case DaemonState.STUCK:
            return f"[bold red]stuck[/]{process}{beat}: read its log, then restart it"
        case DaemonState.STOPPED:
            return f"[yellow]not running[/], stopped {_ago(daemon.beat_at, now)}"
        case DaemonState.GONE:
            return f"[bold red]not running[/], and it didn't end in order{beat}"
    return "[yellow]not running[/], and it never ran on this ledger"


def _orders(standing: Standing, now: datetime) -> str:
    text = f"{standing.totals.orders:,} watched, {standing.totals.due:,} due"
    if standing.most_overdue is None:
        return text
    late = max(now - standing.most_overdue, timedelta())
    style = "yellow" if late > _LATE else "default"
    return f"{text}, the most overdue [{style}]{format_duration(late)} late[/]"


def _messages(standing: Standing) -> str:
    pending = standing.totals.messages.get(MessageState.PENDING, 0)
    dead = standing.totals.messages.get(MessageState.DEAD, 0)
    text = f"{pending:,} to be delivered"
    return (
        f"{text}, [red]{dead:,} dead: their channel never took them[/] (smm-rules outbox list --dead)"
        if dead
        else text
    )


def _reserved(standing: Standing) -> str:
    amounts = _nonzero(standing)
    if not amounts:
        return "nothing"
    return ", ".join(f"{amount:f} {safe(currency or '(no currency)')}" for currency, amount in amounts)


def _nonzero(standing: Standing) -> Sequence[tuple[str, Decimal]]:
    return [(currency, amount) for currency, amount in sorted(standing.totals.reserved.items()) if amount]


def _counts(counts: dict[str, int], none: str) -> str:
    """Counts by state in the order of an intent's life."""
    told = [f"{counts[state]:,} {state.replace('_', ' ')}" for state in IntentState if counts.get(state)]
    return ", ".join(told) or none


def _print_panels(panels: Sequence[PanelStanding], now: datetime) -> None:
    table = new_table("Panel", "State", "Last answer", "Balance", "Last failure")
    for panel in panels:
        amount = "–" if panel.balance is None else f"{panel.balance:f} {panel.currency or ''}".rstrip()
        answered = _ago(panel.last_answer_at, now) if panel.last_answer_at else "never"
        table.add_row(
            safe(panel.panel), _reachable(panel, now), answered, safe(amount), safe(_short(panel.last_error))
        )
    print_table(table)


def _reachable(panel: PanelStanding, now: datetime) -> str:
    if panel.reachable is None:
        return "[dim]not known yet[/]"
    if panel.reachable:
        return "[green]reachable[/]"
    since = panel.failing_since
    return f"[bold red]failing for {format_duration(now - since)}[/]" if since else "[bold red]failing[/]"


def _ago(at: datetime | None, now: datetime) -> str:
    return "never" if at is None else f"{format_duration(max(now - at, timedelta()))} ago"


def _process(name: str) -> int | str | None:
    """A process of this machine by its number, one that works on a database from elsewhere by its name."""
    return int(name) if name.isdecimal() else name or None


def _as_json(standing: Standing, observations: int, ledger: str, now: datetime) -> dict[str, object]:
    daemon, totals = standing.daemon, standing.totals
    return {
        "at": now,
        "ledger": ledger,
        "daemon": {
            "state": daemon.state,
            "running": daemon.state in (DaemonState.RUNNING, DaemonState.STUCK),
            "process": _process(daemon.process),
            "workers": list(daemon.workers),
            "mode": daemon.mode,
            "started_at": daemon.started_at,
            "heartbeat_at": daemon.beat_at,
            "http_intake": daemon.http_intake or None,
        },
        "on_hold": standing.held_back,
        "stamp_trouble": standing.stamp_trouble or None,
        "panels": [
            {
                "panel": panel.panel,
                "reachable": panel.reachable,
                "last_answer_at": panel.last_answer_at,
                "failing_since": panel.failing_since,
                "last_error": panel.last_error,
                "balance": panel.balance,
                "currency": panel.currency,
            }
            for panel in standing.panels
        ],
        "orders": {
            "watched": totals.orders,
            "due": totals.due,
            "most_overdue_since": standing.most_overdue,
        },
        "intents": {state: totals.intents.get(state, 0) for state in IntentState},
        "in_doubt": [_intent_as_json(intent) for intent in standing.unknown],
        "held": [_intent_as_json(intent) for intent in standing.held],
        "waiting": [
            {**_intent_as_json(one.intent), "behind": one.other.id, "stop": one.stop.id}
            for one in standing.behind
        ],
        "stopped": [brake_shape(stop) for stop in standing.stops],
        "messages": {state: totals.messages.get(state, 0) for state in MessageState},
        "observations": observations,
        "reserved": dict(_nonzero(standing)),
        "rules": standing.rules,
    }


def _intent_as_json(intent: Intent) -> dict[str, object]:
    return {
        "id": intent.id,
        "kind": intent.kind,
        "panel": intent.panel,
        "entity": intent.entity,
        "rule": intent.rule,
        "reserved": intent.reserved,
        "currency": intent.currency,
        "message": intent.message or intent.reason,
    }
