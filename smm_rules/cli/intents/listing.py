"""`smm-rules intents list`: actions, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    read_configuration,
)
from smm_rules.cli.naming import entities
from smm_rules.cli.shapes import ago, intent_shape
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, new_table, print_json, print_table, safe
from smm_rules.clock import SystemClock
from smm_rules.intake import Unacceptable
from smm_rules.ledger.records import Intent, IntentState

_STYLES = {
    IntentState.UNKNOWN: "bold red",
    IntentState.HELD: "yellow",
    IntentState.REJECTED: "red",
    IntentState.CONFIRMED: "green",
}
_UNLIMITED = 2**62


@click.command("list")
@click.option(
    "--state",
    "states",
    type=click.Choice([state.value for state in IntentState], case_sensitive=False),
    multiple=True,
    help="Only those in this state; may be repeated.",
)
@click.option("--rule", metavar="RULE", help='Only those that this rule asked for; "operator" is you.')
@click.option("--order", metavar="ORDER", help="Only those about this order (1234, or PANEL/1234).")
@click.option(
    "--limit", type=click.IntRange(min=0), default=50, show_default=True, help="At most so many; 0 for all."
)
@config_option
@json_option
@asynchronous
async def list_intents(
    states: Sequence[str],
    rule: str | None,
    order: str | None,
    limit: int,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """List actions, the newest first: --state unknown are in doubt, --state held wait for you."""
    configuration = read_configuration(config_path)
    named = [] if order is None else entities([order], None, configuration)
    if len(named) > 1:
        raise Unacceptable(f"--order {order!r} names {len(named)} orders", "Give one")
    async with open_existing(configuration) as ledger:
        found = await ledger.intents(
            [IntentState(state) for state in states],
            limit + 1 if limit else _UNLIMITED,
            rule,
            named[0] if named else None,
        )
    shown = found[:limit] if limit else found
    if as_json:
        print_json([intent_shape(intent) for intent in shown])
        return
    if not shown:
        errors().print("No such intents.")
        return
    _show(shown, SystemClock().now())
    if len(found) > len(shown):
        errors().print(f"There are more: --limit {limit * 10} shows more, --limit 0 all.")


def _show(intents: Sequence[Intent], now: datetime) -> None:
    table = new_table("id", "state", "action", "about", "rule", "planned", "result", whole=("about", "rule"))
    table.columns[0].justify = "right"
    for intent in intents:
        style = _STYLES.get(intent.state)
        table.add_row(
            str(intent.id),
            f"[{style}]{intent.state}[/]" if style else intent.state,
            intent.kind,
            safe(intent.entity),
            safe(intent.rule),
            f"{ago(intent.planned_at, now)} ago",
            safe(intent.result or intent.message or intent.reason),
        )
    print_table(table)
