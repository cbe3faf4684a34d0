"""The ledger's schema, one numbered step after another.

A migration that has been released is never edited: a change of the schema is a new file with the next
number. `PRAGMA user_version` holds the number of the last one applied, `PRAGMA application_id` marks the
file as a ledger of this program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import apsw

from smm_rules.ledger.port import LedgerError

#: `smmr` in ASCII.
APPLICATION_ID = 0x736D_6D72
#: A ledger that is being moved into a database (`smmm`), and one that was (`smmd`): nobody may work on it.
MOVING_ID = 0x736D_6D6D
MOVED_ID = 0x736D_6D64


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema. `script` is SQL that runs in the transaction of all pending steps."""

    version: int
    name: str
    script: str


def load_migrations() -> tuple[Migration, ...]:
    """Every migration shipped with the program, in order."""
    scripts = sorted(
        (item for item in files(__name__).iterdir() if item.name.endswith(".sql")),
        key=lambda item: item.name,
    )
    return tuple(
        Migration(int(item.name[:4]), item.name[5:-4], item.read_text(encoding="utf-8")) for item in scripts
    )


MIGRATIONS = load_migrations()


def migrate(connection: apsw.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> tuple[int, int]:
    """Bring the schema up to the last migration; return the versions before and after.

    All pending steps are one transaction: a file is never left half way. `LedgerError` for a file that a
    newer program wrote, or that is another program's.
    """
    newest = migrations[-1].version
    check_ours(connection, migrations)
    if schema_version(connection) == newest:
        return newest, newest
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been faster.
        check_ours(connection, migrations)
        before = schema_version(connection)
        for migration in migrations[before:]:
            connection.execute(migration.script)
        if connection.execute("PRAGMA foreign_key_check").fetchall():
            raise LedgerError(
                "the upgraded ledger has dangling references; restore the backup and report this"
            )
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {newest}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return before, newest


def schema_version(connection: apsw.Connection) -> int:
    """The number of the last migration applied; 0 for an empty file."""
    version = connection.pragma("user_version")
    assert isinstance(version, int)
    return version


def check_ours(connection: apsw.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """`LedgerError` for a file of another program, or of a newer version of this one. Writes nothing."""
    version, newest = schema_version(connection), migrations[-1].version
    empty = version == 0 and not connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
    mark = connection.pragma("application_id")
    if mark == MOVED_ID:
        raise LedgerError(
            "the ledger was moved into a database and goes on there: write its address as `ledger` in the "
            "configuration; to go on from before the move, restore a backup"
        )
    if mark == MOVING_ID:
        raise LedgerError(
            "the ledger is being moved into a database; run `smm-rules ledger migrate` again, which brings "
            "that to its end"
        )
    if not empty and mark != APPLICATION_ID:
        raise LedgerError("the file is a database of another program; give the ledger a file of its own")
    if version > newest:
        raise LedgerError(
            f"the ledger was written by a newer smm-rules (its schema is version {version}, this program "
            f"knows {newest}); upgrade smm-rules, or restore the ledger from before the upgrade"
        )
