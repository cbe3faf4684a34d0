"""`smm-rules restore`: put a backup in the ledger's place, on hold."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.asking import ask_first, yes_option
from smm_rules.cli.context import config_option, json_option, operator_name, read_configuration
from smm_rules.cli.hold.words import gap_lines, hold_shape
from smm_rules.cli.terminal import output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.opening import file_of
from smm_rules.ledger.sqlite.copies import restore


@click.command("restore")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@yes_option
@config_option
@json_option
def command(source: Path, yes: bool, config_path: Path | None, as_json: bool) -> None:
    """Put the backup FILE in the ledger's place. Refused while a daemon runs; the ledger before is kept.

    What was done after the backup was made is not in it, so the daemon starts on hold: it reads and shows
    what its rules would do, and sends nothing until you say `smm-rules hold confirm`.
    """
    configuration = read_configuration(config_path)
    ledger = file_of(configuration, "put it back with pg_restore, then confirm the hold (docs/postgresql.md)")
    with DaemonLock(ledger):
        ask_first(f"Put {source} in the place of {ledger}?", yes)
        done = restore(source.absolute(), ledger, operator_name(), SystemClock().now())
    if as_json:
        print_json({"ledger": done.ledger, "kept": done.kept, "hold": hold_shape(done.hold)})
        return
    output().print(f"{safe(done.ledger)} is the backup {safe(source)} now.")
    if done.kept is not None:
        output().print(f"The ledger before is {safe(done.kept)}.")
    for line in gap_lines(done.hold.gap):
        output().print(safe(line))
    output().print("It is on hold. Start the daemon, look at `smm-rules hold show`, then confirm.")
