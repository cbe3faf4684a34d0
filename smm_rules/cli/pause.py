"""`smm-rules pause`: let a rule, a panel or everything rest."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.brakes.targets import (
    brake_shape,
    check_name,
    end_of_pause,
    in_words,
    name_argument,
    scope_argument,
    target,
)
from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    operator_name,
    read_configuration,
)
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.ledger.stops import StopKind, StopScope

_MEANING = {
    StopScope.RULE: "It doesn't fire, and nothing it asked for is sent. Its holds go on.",
    StopScope.PANEL: "It is read on; nothing is sent to it. What rules ask for stays planned.",
    StopScope.ALL: "Everything is read on; nothing is sent. What rules ask for stays planned.",
}


@click.command("pause")
@scope_argument
@name_argument
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is shown and written down.")
@click.option("--for", "lasting", metavar="DURATION", help="It ends by itself after this time, like 2h.")
@click.option("--until", metavar="TIME", help="It ends by itself at this time (UTC unless it says a zone).")
@config_option
@json_option
@asynchronous
async def command(
    scope: str,
    name: str,
    reason: str,
    lasting: str | None,
    until: str | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Let a rule, a panel or everything rest, at once, also while the daemon runs.

    \b
    smm-rules pause rule refill-partial --reason "wrong numbers"
    smm-rules pause panel main --reason "maintenance" --for 2h
    smm-rules pause all --reason "on a plane" --until 2026-03-02T08:00
    """
    configuration = read_configuration(config_path)
    found, name = target(scope, name)
    check_name(found, name, configuration)
    now = SystemClock().now()
    ends_at = end_of_pause(lasting, until, now)
    async with open_existing(configuration) as ledger:
        brake = await ledger.stop(StopKind.PAUSE, found, name, reason, operator_name(), now, ends_at)
    if as_json:
        print_json(brake_shape(brake))
        return
    console = output()
    console.print(safe(in_words(brake)))
    console.print(_MEANING[found])
    console.print(f"To go on: smm-rules resume {safe(f'{found} {name}'.rstrip())}")
