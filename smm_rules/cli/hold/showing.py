"""`smm-rules hold show`: why nothing is sent, and what may have been forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration
from smm_rules.cli.hold.words import gap_lines, hold_shape
from smm_rules.cli.naming import panels_of
from smm_rules.cli.shapes import ago, intent_shape
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import counted, new_table, output, print_json, print_table, safe
from smm_rules.clock import SystemClock
from smm_rules.engine.memory import Reason
from smm_rules.ledger.records import Intent, IntentState

_MANY = 10_000
_LISTED = 50


@click.command("show")
@config_option
@json_option
@asynchronous
async def show(config_path: Path | None, as_json: bool) -> None:
    """Show whether the ledger is on hold, why, what may have been forgotten, and what waits for you."""
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        hold, finding = await ledger.open_hold(), ledger.finding
        held = await ledger.intents((IntentState.HELD,), _MANY)
        unseen = await ledger.unseen(panels_of(configuration))
    waiting = [intent for intent in reversed(held) if intent.reason == Reason.RESTORED]
    if as_json:
        print_json(
            {
                "hold": None if hold is None else hold_shape(hold),
                "finding": None if finding is None else finding.reason,
                "unseen": unseen,
                "held": [intent_shape(intent) for intent in waiting],
            }
        )
        return
    if hold is None and finding is None:
        output().print("The ledger is not on hold.")
        _print_waiting(waiting)
        return
    if hold is None and finding is not None:
        output().print(f"[bold red]Nothing is sent.[/] {finding.reason.sentence}")
        output().print("The daemon takes up the hold when it starts: smm-rules run.")
        return
    assert hold is not None
    output().print(f"[bold red]On hold since {ago(hold.at, SystemClock().now())}.[/] {hold.reason.sentence}")
    for line in gap_lines(hold.gap):
        output().print(f"  {safe(line)}")
    output().print()
    _print_waiting(waiting)
    if unseen:
        output().print(
            f"{counted(unseen, 'order')} not looked at since: let the daemon run, then look again."
        )
    output().print(
        "Compare with the panels: track the orders that are missing here, deny what was done already.\n"
        "Then: smm-rules hold confirm"
    )


def _print_waiting(waiting: Sequence[Intent]) -> None:
    if not waiting:
        return
    output().print(f"{counted(len(waiting), 'action')} held, for the run that was lost may have done them:")
    table = new_table("id", "action", "about", "rule", "cost")
    for intent in waiting[:_LISTED]:
        cost = "" if intent.reserved is None else f"{intent.reserved:f} {intent.currency or ''}".rstrip()
        about = f"{safe(intent.entity)} on {safe(intent.panel)}"
        table.add_row(str(intent.id), intent.kind, about, safe(intent.rule), safe(cost))
    print_table(table)
    if len(waiting) > _LISTED:
        output().print(f"and {len(waiting) - _LISTED:,} more: smm-rules intents list --state held")
    output().print("Each waits for smm-rules intents approve ID | deny ID.")
