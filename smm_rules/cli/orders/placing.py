"""`smm-rules orders place`: buy an order and watch it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

import click

from smm_rules.actions import place_order
from smm_rules.actions.circumstances import Circumstances
from smm_rules.actions.purchase import Basket, check_purchase
from smm_rules.actions.verdict import Ready, Refuse
from smm_rules.cli.asking import ask_first, yes_option
from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    operator_name,
    read_configuration,
)
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.naming import default_panel, merged, panel_option, panels_of, said, said_options
from smm_rules.cli.orders.carrying_out import CarryingOut
from smm_rules.cli.orders.market import Market, PricedLedger, read_market
from smm_rules.cli.orders.outcome import tell_outcome
from smm_rules.cli.orders.permitted import refuse_stopped, refuse_unless_live
from smm_rules.cli.orders.plan.placing import Wishes, place_plan, plan_name
from smm_rules.cli.terminal import errors, safe
from smm_rules.clock import SystemClock
from smm_rules.config.model import Configuration, PanelSettings
from smm_rules.daemon.parts import endpoint_of
from smm_rules.intake import Unacceptable
from smm_rules.ledger.opening import open_ledger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.client import PanelClient


@click.command("place")
@panel_option
@said_options
@yes_option
@click.option(
    "--wait/--no-wait",
    default=True,
    help="Wait for the outcome when a running daemon carries it out.  [default: wait]",
)
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the daemon; with --plan, how long without it getting on.",
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE.csv",
    help="Place every row of a CSV file, each once, however often that is asked.",
)
@click.option("--name", metavar="NAME", help="What the plan is known by. Default: the file's name.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where the plan's report goes. Default: beside it, FILE.report.csv.",
)
@click.option("--retry", is_flag=True, help="Ask again for rows of the plan that were refused or denied.")
@click.option("--again", is_flag=True, help="Buy anew what was placed as a plan of another name.")
@config_option
@json_option
@asynchronous
async def place(
    panel: str | None,
    service: str | None,
    link: str | None,
    quantity: str | None,
    label: str | None,
    parameters: Sequence[tuple[str, str]],
    yes: bool,
    wait: bool,
    seconds: float,
    plan_file: Path | None,
    name: str | None,
    report: Path | None,
    retry: bool,
    again: bool,
    config_path: Path | None,
    as_json: bool,
) -> int:
    """Place an order on a panel, with your money, and watch it from now on.

    What it costs and the balance are shown first. A running daemon carries it out; without one this command
    does so itself. It is sent once at most: exit code 0 says it was placed, 5 that it was not, 1 that nobody
    knows (then resolve the intent and don't place it again) or that the daemon isn't done yet.

    With --plan many are placed: a table of what they cost comes first, a report says what became of each.
    Exit code 0 says that all of them are bought, 1 that one isn't. Run again it goes on where it was, and
    buys nothing twice. See docs/intake.md.
    """
    configuration = read_configuration(config_path)
    said_of_one = said(service=service, link=link, quantity=quantity, label=label)
    if plan_file is not None:
        if said_of_one or parameters:
            raise click.UsageError("with --plan the file says what is placed: leave the other options out")
        wishes = Wishes(
            plan_file, plan_name(plan_file, name), panel, report, again, retry, yes,
            seconds if wait else None, as_json,
        )  # fmt: skip
        return int(await place_plan(configuration, wishes))
    if name is not None or report is not None or retry or again:
        raise click.UsageError("--name, --report, --retry and --again go with --plan")
    refuse_unless_live(configuration)
    settings = _panel(panel, configuration)
    asked = merged(said(service=service, link=link, quantity=quantity), parameters)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(PanelClient(endpoint_of(settings, os.environ)))
        ledger = PricedLedger(await open_ledger(configuration))
        stack.push_async_callback(ledger.aclose)
        await ledger.daemon()  # who may not see whether one runs learns it before anything is planned
        await refuse_stopped(ledger, [settings.name], clock.now())
        market = await read_market(ledger, client, settings, _service(asked), clock)
        ready = _judged(settings.name, asked, market)
        _show_offer(settings.name, ready, market)
        ask_first("Place this order?", yes)
        intent = await place_order(
            ledger, settings.name, asked, clock.now(), operator_name(), label=(label or "").strip()
        )
        channel = configuration.operator.channel if configuration.operator else None
        voice = OperatorVoice(ledger, channel, configuration.page_url)
        work = CarryingOut(ledger, client, clock, voice)
        after = await work.finish(intent, seconds if wait else None)
    return int(tell_outcome(after, waited=wait, as_json=as_json))


def _panel(given: str | None, configuration: Configuration) -> PanelSettings:
    name = default_panel(given, configuration)
    settings = None if name is None else configuration.panel(name)
    if settings is None:
        raise Stop(f"Say on which panel: --panel {' or '.join(panels_of(configuration))}.", Exit.USAGE)
    return settings


def _service(asked: Mapping[str, str]) -> str:
    service = asked.get("service", "").strip()
    if not service:
        raise Unacceptable("no service is named", "Say --service with its ID in the panel's catalogue")
    return service


def _judged(panel: str, asked: Mapping[str, str], market: Market) -> Ready:
    """The order as it would be sent; `Unacceptable` or `Stop` when it is bound to be refused.

    It is checked once more when its turn comes, with what other actions have claimed meanwhile.
    """
    service, balance = market.service, market.balance
    assert service.last_seen_at is not None
    verdict = check_purchase(
        Basket(panel, service.entity.id, {}, asked, "give them with --link, --quantity or --param", None),
        Circumstances(
            now=service.last_seen_at,
            service=service.facts,
            catalogue_read_at=service.last_seen_at,
            balance=balance,
            currency=balance.currency,
        ),
    )
    if isinstance(verdict, Refuse):
        raise Unacceptable(verdict.message, "Nothing was placed")
    if not isinstance(verdict, Ready):
        raise Stop(f"{verdict.message}. Nothing was placed.", Exit.PANEL)
    return verdict


def _show_offer(panel: str, ready: Ready, market: Market) -> None:
    """What will be bought and what it costs. On standard error: it is no result."""
    facts, balance = market.service.facts, market.balance.amount
    currency = ready.currency or ""
    lines = {
        "panel": panel,
        "service": f"{market.service.entity.id}, {facts.get('name', '')} ({facts.get('type', 'Default')})",
        **{name: text for name, text in ready.parameters.items() if name != "service"},
        "rate": "not known" if ready.rate is None else f"{_money(ready.rate, currency)} for 1000",
        "cost": "can't be told beforehand" if ready.cost is None else _money(ready.cost, currency),
        "balance": _money(balance, currency),
    }
    if ready.cost is not None:
        lines["left then"] = _money(balance - ready.cost, currency)
    console = errors()
    for name, text in lines.items():
        first, *more = text.splitlines() or [""]
        console.print(f"  {safe(name):<10} {safe(first)}")
        for line in more:
            console.print(f"  {'':<10} {safe(line)}")


def _money(amount: Decimal, currency: str) -> str:
    return f"{amount:f} {currency}".rstrip()
