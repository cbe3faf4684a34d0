"""The schema's versions in PostgreSQL: numbered like SQLite's, upgraded while nobody works on the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from smm_rules.ledger.migrations import Migration
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import migrations as steps
from smm_rules.ledger.postgres.locks import HOLDERS, Lock, call
from smm_rules.ledger.postgres.session import SCHEMA, Session
from smm_rules.ledger.sql.query import rows
from smm_rules.observe import get_logger

log = get_logger(__name__)

_MARK = "smm-rules ledger"
_TRIES = 20
_VERSION = f"SELECT max(version) FROM {SCHEMA}.schema_version"  # noqa: S608 - only constants are put in
_NOTE = f"INSERT INTO {SCHEMA}.schema_version (version) VALUES ({{}})"  # noqa: S608 - as above
_WHOSE = f"""
  SELECT obj_description(to_regclass('{SCHEMA}.schema_version'), 'pg_class'),
    (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('{SCHEMA}'))
"""  # noqa: S608 - as above


def load_migrations() -> tuple[Migration, ...]:
    """Every step there is for PostgreSQL, in order. The first makes the schema of its number at once."""
    scripts = sorted(
        (item for item in files(steps).iterdir() if item.name.endswith(".sql")), key=lambda item: item.name
    )
    return tuple(
        Migration(int(item.name[:4]), item.name[5:-4], item.read_text(encoding="utf-8")) for item in scripts
    )


MIGRATIONS = load_migrations()


def enter(
    session: Session, address: str, migrations: Sequence[Migration] = MIGRATIONS, *, upgrade: bool = True
) -> None:
    """Bring the schema up to date, and keep others from upgrading it while this session lasts.

    Without `upgrade` it must be up to date: this process has had it open already.

    `LedgerError` when a newer program wrote it, when it is another program's, and when it is older while
    others are at work on it.
    """
    newest = migrations[-1].version
    for _ in range(_TRIES):
        version = schema_version(session)
        _refuse_newer(version, newest, address)
        if version < newest and not upgrade:
            raise LedgerError(f"{address} was put back from before an upgrade; restart smm-rules")
        if version == newest:
            session.own(f"SELECT {call('pg_advisory_lock_shared', Lock.SCHEMA)}")
            if schema_version(session) == newest:
                return
            session.own(f"SELECT {call('pg_advisory_unlock_shared', Lock.SCHEMA)}")
        elif _holds(session.own(f"SELECT {call('pg_try_advisory_lock', Lock.SCHEMA)}")):
            try:
                before, after = _upgrade(session, migrations)
            finally:
                session.own(f"SELECT {call('pg_advisory_unlock', Lock.SCHEMA)}")
            log.info("ledger.migrated", path=address, before=before, after=after)
        else:
            _wait_for_upgrade(session, version, address)
    raise LedgerError(f"{address}: others keep upgrading the ledger; try again")


def _holds(row: tuple[object, ...] | None) -> bool:
    return row is not None and row[0] is True


def _refuse_newer(version: int, newest: int, address: str) -> None:
    if version > newest:
        raise LedgerError(
            f"{address}: the ledger was written by a newer smm-rules (its schema is version {version}, this "
            f"program knows {newest}); upgrade smm-rules, or restore the ledger from before the upgrade"
        )


def _upgrade(session: Session, migrations: Sequence[Migration]) -> tuple[int, int]:
    """All pending steps in one transaction; the versions before and after."""
    session.own("BEGIN; SET LOCAL statement_timeout TO 0; SET LOCAL idle_in_transaction_session_timeout TO 0")
    try:
        before = schema_version(session)
        pending = [migration for migration in migrations if migration.version > before]
        if before == 0:
            session.own(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        for migration in pending:
            session.own(migration.script)
            session.own(_NOTE.format(migration.version))
        session.own("COMMIT")
    except BaseException:
        if not session.is_lost:
            session.own("ROLLBACK")
        raise
    return before, migrations[-1].version


def _wait_for_upgrade(session: Session, version: int, address: str) -> None:
    """Another one upgrades it just now: wait. Others work on the older one: refuse."""
    session.own(f"SELECT {call('pg_advisory_lock_shared', Lock.SCHEMA)}")
    try:
        if schema_version(session) != version:
            return
        found = rows(session, HOLDERS, (Lock.SCHEMA.value,))
    finally:
        session.own(f"SELECT {call('pg_advisory_unlock_shared', Lock.SCHEMA)}")
    names = ", ".join(sorted({str(name) for name, _ in found}))
    if names:
        raise LedgerError(
            f"{address}: the ledger must be upgraded, and others are at work on it ({names}); "
            "stop them, then start this again"
        )


def schema_version(session: Session) -> int:
    """The number of the last step applied; 0 where there is none. `LedgerError` for what isn't a ledger."""
    row = session.own(_WHOSE)
    assert row is not None
    mark, tables = row
    if mark != _MARK:
        if tables:
            raise LedgerError(
                f"the schema {SCHEMA} of the database is another program's; "
                "give the ledger a database of its own"
            )
        return 0
    found = session.own(_VERSION)
    return 0 if found is None else int(found[0] or 0)
