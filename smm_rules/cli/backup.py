"""`smm-rules backup`: a copy of the ledger, beside a running daemon."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, json_option, operator_name, read_configuration
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.ledger.opening import file_of
from smm_rules.ledger.sqlite import SqliteLedger


@click.command("backup")
@click.argument("target", type=click.Path(path_type=Path))
@config_option
@json_option
@asynchronous
async def command(target: Path, config_path: Path | None, as_json: bool) -> None:
    """Copy the ledger to TARGET, a file or a directory, while the daemon runs.

    The copy is of one moment, verified, readable by you alone, and there whole or not at all. In a directory
    it is named after the time. A ledger in the way is replaced, any other file is left alone.
    """
    configuration = read_configuration(config_path)
    file_of(configuration, "copy it with pg_dump (docs/postgresql.md)")
    async with open_existing(configuration) as ledger:
        assert isinstance(ledger, SqliteLedger)
        made = await ledger.backup(target.absolute(), operator_name(), SystemClock().now())
    if as_json:
        print_json({"path": made.path, "bytes": made.size, "entries": made.entries})
        return
    output().print(f"{safe(made.path)}: {made.size / 1024**2:.1f} MiB, verified.")
