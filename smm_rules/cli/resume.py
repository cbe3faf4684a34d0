"""`smm-rules resume`: let what was stopped go on."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.asking import ask_first, yes_option
from smm_rules.cli.brakes.targets import brake_shape, in_words, name_argument, scope_argument, target
from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    operator_name,
    read_configuration,
)
from smm_rules.cli.exits import Stop
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import counted, output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.stops import StopKind


@click.command("resume")
@scope_argument
@name_argument
@yes_option
@config_option
@json_option
@asynchronous
async def command(scope: str, name: str, yes: bool, config_path: Path | None, as_json: bool) -> None:
    """End a pause, a panic or an open breaker of a rule, a panel or everything.

    What is planned is checked anew before it is sent: what its rule no longer wants isn't. What was held
    meanwhile stays held until you approve it.
    """
    configuration = read_configuration(config_path)
    found, name = target(scope, name)
    now = SystemClock().now()
    async with open_existing(configuration) as ledger:
        active = await ledger.stops()
        ours = [brake for brake in active if (brake.scope, brake.name) == (found, name)]
        if not ours:
            others = "".join(f"\n  {in_words(brake)}" for brake in active) or " Nothing is."
            raise Stop(f"{f'{found} {name}'.rstrip()} isn't stopped. What is:{others}")
        if any(brake.kind is StopKind.PANIC for brake in ours):
            planned = (await ledger.totals(now)).intents.get(IntentState.PLANNED, 0)
            what = counted(planned, "planned action")
            ask_first(f"End the panic, with {what} that may then be sent?", yes)
        for brake in ours:
            await ledger.end_stop(brake.id, now, operator_name())
    if as_json:
        print_json([brake_shape(brake) for brake in ours])
        return
    for brake in ours:
        output().print(f"Ended: {safe(in_words(brake))}")
