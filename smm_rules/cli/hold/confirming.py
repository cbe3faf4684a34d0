"""`smm-rules hold confirm`: rules may act again."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.asking import ask_first, yes_option
from smm_rules.cli.context import asynchronous, config_option, json_option, operator_name, read_configuration
from smm_rules.cli.exits import Stop
from smm_rules.cli.hold.words import hold_shape
from smm_rules.cli.moments import moment_before
from smm_rules.cli.naming import panels_of
from smm_rules.cli.shapes import moment
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import counted, output, print_json
from smm_rules.clock import SystemClock
from smm_rules.ledger.port import StateConflict


@click.command("confirm")
@click.option(
    "--since",
    metavar="TIME",
    help="Rules act on what began since then: 2h ago, or a date or time (UTC). Default: now.",
)
@click.option("--force", is_flag=True, help="Also while orders have not been looked at since the hold began.")
@yes_option
@config_option
@json_option
@asynchronous
async def confirm(since: str | None, force: bool, yes: bool, config_path: Path | None, as_json: bool) -> None:
    """Take the ledger for the right one, and let rules act again.

    They act by themselves on what began at --since or later. What began before stays held, for the run that
    was lost may have acted on it: approve or deny it one by one. Every order must have been looked at since
    the hold began, so that what happened in the meantime isn't taken for new.
    """
    configuration = read_configuration(config_path)
    now = SystemClock().now()
    act_since = now if since is None else min(moment_before(since, now), now)
    async with open_existing(configuration) as ledger:
        if await ledger.open_hold() is None:
            what = "" if ledger.finding is None else " yet: the daemon takes up the hold when it starts"
            raise Stop(f"The ledger is not on hold{what}.")
        unseen = await ledger.unseen(panels_of(configuration))
        if unseen and not force:
            raise Stop(
                f"{counted(unseen, 'order')} not looked at since the hold began. Let the daemon run until it "
                "has, or say --force: what rules find on them then is taken for new, and acted on."
            )
        ask_first(f"Let rules act again on what began since {moment(act_since)}?", yes)
        try:
            done = await ledger.confirm_hold(act_since, operator_name(), now)
        except StateConflict as conflict:
            raise Stop(str(conflict)) from None
    if as_json:
        shape = hold_shape(done.hold)
        print_json({**shape, "act_since": done.hold.act_since, "released": list(done.released)})
        return
    output().print(f"Rules act again on what began since {moment(act_since)}.")
    if done.released:
        output().print(f"{counted(len(done.released), 'held action')} go ahead by that.")
    output().print("What began before stays held: smm-rules intents list --state held")
