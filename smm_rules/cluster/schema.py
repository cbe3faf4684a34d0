"""The tables that workers share: made once, checked at every start."""

from __future__ import annotations

from importlib.resources import files

import procrastinate

from smm_rules.cluster.database import SCHEMA, Database
from smm_rules.ledger.port import LedgerError

#: Raised with every change of schema.sql.
VERSION = 1
#: The key of the advisory lock under which the schema is made: two workers that start at once make it once.
_MAKING = 0x736D6D01
_EXISTS = f"SELECT to_regclass('{SCHEMA}.version') IS NOT NULL"
_JOBS_EXIST = f"SELECT to_regclass('{SCHEMA}.procrastinate_jobs') IS NOT NULL"


async def prepare(database: Database, app: procrastinate.App) -> None:
    """Make the tables of the workers and of the queue where they are missing.

    `LedgerError` when they were made by a newer release.
    """
    async with database.connection() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
        cursor = await connection.execute(_EXISTS)
        row = await cursor.fetchone()
        if row is not None and not row[0]:
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}".encode())
            await connection.execute("CREATE TABLE version (version integer NOT NULL)")
            await connection.execute("INSERT INTO version VALUES (%s)", (VERSION,))
            await connection.execute(files(__package__).joinpath("schema.sql").read_bytes())
        cursor = await connection.execute(_JOBS_EXIST)
        row = await cursor.fetchone()
        if row is not None and not row[0]:
            await connection.execute(app.schema_manager.get_schema().encode())
    await check(database)


async def check(database: Database) -> None:
    """`LedgerError` unless the tables are those this release knows."""
    found = await database.row("SELECT max(version) FROM version")
    version = found[0] if found is not None else None
    if version != VERSION:
        raise LedgerError(
            f"the workers' tables are of version {version}, this release knows version {VERSION}; "
            "run the same release of smm-rules on every machine"
        )
