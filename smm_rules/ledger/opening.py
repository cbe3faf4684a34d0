"""The ledger that a configuration names, whichever back end it is in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from smm_rules.config.model import Configuration
from smm_rules.config.place import DatabaseAddress
from smm_rules.config.secrets import SecretReference
from smm_rules.engine.guards_set import guards_of
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.sqlite import SqliteLedger

if TYPE_CHECKING:  # imported once one is opened: who has no database needs no client for it
    from smm_rules.ledger.postgres import Access


class Lock(Protocol):
    """One daemon per ledger; see `ledger.lock`."""

    def acquire(self) -> None: ...

    def keep(self) -> bool: ...

    def release(self) -> None: ...

    def holder(self) -> str | None: ...


async def open_ledger(
    configuration: Configuration, environment: Mapping[str, str] | None = None
) -> SqlLedger:
    """Open it, made when there is none. `SecretUnavailable` and `LedgerError` say what is wrong."""
    guards = guards_of(configuration)
    place = configuration.ledger
    if isinstance(place, Path):
        return await SqliteLedger.open(place, guards=guards)
    access = access_to(configuration, environment)
    from smm_rules.ledger.postgres import PostgresLedger

    return await PostgresLedger.open(access, stamp_of(configuration), guards)


def daemon_lock(configuration: Configuration, environment: Mapping[str, str] | None = None) -> Lock:
    """The lock that a daemon holds while it works on the ledger."""
    if isinstance(configuration.ledger, Path):
        return DaemonLock(configuration.ledger)
    access = access_to(configuration, environment)
    from smm_rules.ledger.postgres.daemon_lock import PostgresDaemonLock

    return PostgresDaemonLock(access)


def access_to(configuration: Configuration, environment: Mapping[str, str] | None = None) -> Access:
    """How to get at the database. `LedgerError` when the ledger is a file, or the client isn't installed."""
    place = configuration.ledger
    if not isinstance(place, DatabaseAddress):
        raise LedgerError(f"{place} is a file; this needs a ledger in a PostgreSQL database")
    given = os.environ if environment is None else environment
    return access_by(place, configuration.ledger_password, given)


def access_by(
    address: DatabaseAddress, password: SecretReference | None, environment: Mapping[str, str]
) -> Access:
    """How to get at the database at `address`; without a password the client library looks for one itself."""
    try:
        from smm_rules.ledger.postgres import Access
    except ImportError as error:
        raise LedgerError(
            f"a ledger in PostgreSQL needs psycopg: pip install 'smm-rules[postgres]' ({error})"
        ) from error
    return Access(address.url, None if password is None else password.read(environment))


def stamp_of(configuration: Configuration) -> Path | None:
    """Where this machine keeps the stamp of a ledger in a database, without `.stamp`."""
    place, directory = configuration.ledger, configuration.state_directory
    if directory is None or not isinstance(place, DatabaseAddress):
        return None
    return directory / place.name


def file_of(configuration: Configuration, what: str) -> Path:
    """The ledger's file. `LedgerError` for one in a database, with `what` to do there instead."""
    if isinstance(configuration.ledger, Path):
        return configuration.ledger
    raise LedgerError(f"the ledger is in the database {configuration.ledger}; {what}")
