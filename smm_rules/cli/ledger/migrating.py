"""`smm-rules ledger migrate`: move a ledger from its SQLite file into a PostgreSQL database."""

from __future__ import annotations

import os
from pathlib import Path

import click
from pydantic_core import PydanticCustomError

from smm_rules.cli.asking import ask_first, yes_option
from smm_rules.cli.context import json_option, operator_name
from smm_rules.cli.terminal import errors, output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.config.place import DatabaseAddress, database_address
from smm_rules.config.secrets import SecretReference
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.opening import access_by


@click.command("migrate")
@click.argument("source", metavar="SQLITE", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("target", metavar="POSTGRES")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file with the database's password, readable by you alone. Default: $PGPASSWORD or ~/.pgpass.",
)
@yes_option
@json_option
def migrate(source: Path, target: str, password_file: Path | None, yes: bool, as_json: bool) -> None:
    """Move the ledger in the file SQLITE into the database POSTGRES, postgresql://USER@HOST/DATABASE.

    Stop the daemon first. Everything is copied, or nothing: all rows are compared one by one and the record
    of decisions is verified before the move counts. The file keeps its rows and is marked as moved, so that
    no daemon starts on it any more. Broken off in the middle, the same command goes on.
    """
    address = _address(target)
    password = None if password_file is None else SecretReference(file=password_file.absolute())
    access = access_by(address, password, os.environ)
    from smm_rules.ledger.postgres.moving import Copied, move

    def tell(copied: Copied) -> None:
        if not as_json:
            errors().print(f"{copied.table}: {copied.rows:,} rows copied and compared")

    with DaemonLock(source):
        ask_first(f"Move the ledger {source} to {address}?", yes)
        moved = move(source, access, operator_name(), SystemClock().now(), tell)
    if as_json:
        tables = {one.table: {"rows": one.rows, "sha256": one.digest} for one in moved.tables}
        print_json({"ledger": moved.target, "from": moved.source, "tables": tables, "entries": moved.entries})
        return
    if moved.tables:
        rows = sum(one.rows for one in moved.tables)
        output().print(f"{rows:,} rows are in {safe(moved.target)}, each compared with the file's.")
    else:
        output().print(f"An earlier run had copied everything to {safe(moved.target)}; the move is complete.")
    output().print(f"Its record of decisions is whole, with {moved.entries:,} entries.")
    output().print(f"{safe(moved.source)} keeps its rows, and nothing starts on it any more.")
    output().print("Now write into the configuration:")
    output().print(f"  ledger: {safe(moved.target)}")
    output().print("  state_directory: a directory of the daemon's own, such as /var/lib/smm-rules")


def _address(target: str) -> DatabaseAddress:
    try:
        return database_address(target)
    except PydanticCustomError as error:
        context = error.context or {}
        hint = f". {context['suggestion']}" if context.get("suggestion") else ""
        raise click.BadParameter(f"{context.get('message', error)}{hint}", param_hint="POSTGRES") from error
