"""`smm-rules pauses`: what is stopped, and what was."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.brakes.targets import brake_shape, in_words
from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration
from smm_rules.cli.group import Group
from smm_rules.cli.shapes import moment
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, output, print_json, safe


@click.group("pauses", cls=Group)
def command() -> None:
    """Pauses, panics and open breakers."""


@command.command("list")
@click.option("--all", "past", is_flag=True, help="Also those that have ended.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@config_option
@json_option
@asynchronous
async def list_pauses(past: bool, limit: int, config_path: Path | None, as_json: bool) -> None:
    """List what is stopped, by whom and why."""
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        found = await ledger.stops(limit if past else None)
    if as_json:
        print_json([brake_shape(brake) for brake in found])
        return
    if not found:
        errors().print("Nothing is stopped." if not past else "Nothing was ever stopped.")
    for brake in found:
        ended = f" (ended {moment(brake.ended_at)} by {brake.ended_by})" if brake.ended_at else ""
        output().print(safe(f"{in_words(brake)}{ended}"))
