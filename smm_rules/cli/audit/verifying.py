"""`smm-rules audit verify`: is the record as it was written?"""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration
from smm_rules.cli.exits import Exit
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, output, print_json
from smm_rules.ledger.audit import Head, Verification


def _heads(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[Head, ...]:
    try:
        return tuple(Head.parse(value) for value in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("verify")
@click.option(
    "--head",
    "heads",
    metavar="ID:HASH",
    multiple=True,
    callback=_heads,
    help="A head you noted earlier: it must be in the record. May be repeated.",
)
@config_option
@json_option
@asynchronous
async def verify(heads: tuple[Head, ...], config_path: Path | None, as_json: bool) -> int:
    """Look through the whole record: every entry must be the one written, each following from the one before.

    Names the first entry that was altered, removed or put in between, and prints the head. Who can write to
    the ledger's file could write the whole record anew: note the head elsewhere and give it with --head.
    Exit code 1 when something is wrong.
    """
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        found = await ledger.verify_audit(heads)
    if as_json:
        print_json(_shape(found))
    elif found.fault is None:
        output().print(f"[green]Sound[/]: {_extent(found)}.")
        output().print(f"head {found.head}")
    else:
        errors().print(f"[bold red]Broken at entry {found.fault.entry}[/]: {found.fault.what}.")
        errors().print("Keep a copy of the ledger, and compare it with a backup or an earlier export.")
    return int(Exit.DONE if found.fault is None else Exit.FAILED)


def _extent(found: Verification) -> str:
    if not found.entries:
        return "the record has no entry yet"
    count = f"{found.entries:,} {'entry' if found.entries == 1 else 'entries'}"
    sealed = "" if found.first == 1 else f"; those before {found.first} were sealed and dropped"
    return f"{count}, {found.first} to {found.head.id}{sealed}"


def _shape(found: Verification) -> dict[str, object]:
    fault = found.fault
    return {
        "sound": fault is None,
        "entries": found.entries,
        "first": found.first,
        "head": str(found.head),
        "fault": None if fault is None else {"entry": fault.entry, "what": fault.what},
    }
