"""`smm-rules outbox retry` and `drop`: what becomes of messages that no channel took."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from smm_rules.cli.asking import ask_first, yes_option
from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    operator_name,
    read_configuration,
)
from smm_rules.cli.exits import Exit
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import counted, errors, output, print_json
from smm_rules.clock import SystemClock

_ids = click.argument("ids", nargs=-1, type=click.IntRange(min=1), metavar="[ID…]")


@click.command("retry")
@_ids
@click.option("--all-dead", is_flag=True, help="Every dead message.")
@config_option
@json_option
@asynchronous
async def retry(ids: Sequence[int], all_dead: bool, config_path: Path | None, as_json: bool) -> int:
    """Have dead messages delivered after all: by their IDs, or --all-dead.

    They are due at once, with all their attempts before them, and the daemon delivers them to the channel
    they were meant for: see first that it takes messages (smm-rules notify --test).
    """
    if bool(ids) == all_dead:
        raise click.UsageError("give IDs to retry, or --all-dead")
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        revived = await ledger.revive(None if all_dead else ids, SystemClock().now(), operator_name())
    return _tell("due again", "not dead", revived, ids, as_json)


@click.command("drop")
@_ids
@yes_option
@config_option
@json_option
@asynchronous
async def drop(ids: Sequence[int], yes: bool, config_path: Path | None, as_json: bool) -> int:
    """Give up messages for good, dead ones or such as still wait: nobody is told what they say.

    One that is being delivered at this moment may arrive all the same.
    """
    if not ids:
        raise click.UsageError("give IDs to drop")
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        ask_first(f"Drop {counted(len(set(ids)), 'message')} for good?", yes)
        dropped = await ledger.drop(ids, SystemClock().now(), operator_name())
    return _tell("dropped", "neither dead nor waiting", dropped, ids, as_json)


def _tell(participle: str, otherwise: str, done: Sequence[int], asked: Sequence[int], as_json: bool) -> int:
    """Say what was changed and what wasn't; the exit code."""
    left = sorted(set(asked) - set(done))
    for message_id in left:
        errors().print(
            f"[bold red]error[/]: message {message_id} is {otherwise}, or there is none of that ID"
        )
    if as_json:
        print_json({"changed": list(done), "failed": left})
    elif done or not left:
        output().print(f"{counted(len(done), 'message')} {participle}.")
    return int(Exit.FAILED if left else Exit.DONE)
