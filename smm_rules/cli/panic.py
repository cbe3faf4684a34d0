"""`smm-rules panic`: nothing that acts on a panel leaves any more."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.brakes.targets import brake_shape
from smm_rules.cli.brakes.under_way import settled
from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    operator_name,
    read_configuration,
)
from smm_rules.cli.exits import Exit
from smm_rules.cli.shapes import intent_shape
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import counted, errors, output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.stops import StopKind, StopScope


@click.command("panic")
@click.option("--reason", default="panic", metavar="TEXT", help="Why; it is shown and written down.")
@click.option(
    "--timeout",
    "seconds",
    type=click.FloatRange(min=0),
    default=90.0,
    show_default=True,
    help="How many seconds to wait for the answers to what was being sent.",
)
@config_option
@json_option
@asynchronous
async def command(reason: str, seconds: float, config_path: Path | None, as_json: bool) -> int:
    """Stop everything that acts on a panel, at once, also while the daemon runs. Nothing is asked first.

    Once this has ended with exit code 0, nothing leaves any more: what was being sent has its answer. Orders
    are read on, rules go on deciding, and what they ask for stays planned. `smm-rules resume all` ends it.
    """
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        now = SystemClock().now()
        brake = await ledger.stop(StopKind.PANIC, StopScope.ALL, "", reason, operator_name(), now)
        left = await settled(ledger, StopScope.ALL, "", seconds)
        planned = (await ledger.totals(now)).intents.get(IntentState.PLANNED, 0)
    if as_json:
        shape = brake_shape(brake)
        print_json({**shape, "planned": planned, "under_way": [intent_shape(one) for one in left]})
    else:
        output().print("[bold red]Stopped.[/] Nothing that acts on a panel is sent any more.")
        output().print(f"Kept planned: {counted(planned, 'action')}. To go on: smm-rules resume all")
    for intent in left:
        errors().print(
            f"[bold red]still under way[/]: intent {intent.id}, {intent.kind} for {safe(intent.entity)}; it "
            f"was sent before, and its answer hasn't come. See: smm-rules intents show {intent.id}"
        )
    return int(Exit.FAILED if left else Exit.DONE)
