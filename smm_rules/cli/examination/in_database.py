"""The ledger in a PostgreSQL database: whether it can be reached, is fit, and who works on it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

from smm_rules.cli.examination.finding import Finding, ok, problem, warning
from smm_rules.cli.examination.waiting import waiting_findings
from smm_rules.cli.examination.worked_on import clock_findings, daemon_finding, hold_finding
from smm_rules.config.model import Configuration
from smm_rules.config.secrets import SecretUnavailable
from smm_rules.ledger.holds import HoldReason
from smm_rules.ledger.opening import access_to, stamp_of
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.sql.holds import compare, open_hold
from smm_rules.ledger.sql.housekeeping import heartbeat
from smm_rules.ledger.sql.query import Connection
from smm_rules.ledger.sql.stamping import OF_A_NEW_MACHINE
from smm_rules.ledger.stamp import Stamp, StampFile, StampUnreadable


def examine_database(
    configuration: Configuration, environment: Mapping[str, str], now: datetime
) -> Iterator[Finding]:
    """Everything about the database, read-only: no ledger is made in it, none is upgraded."""
    stamp = stamp_of(configuration)
    if stamp is not None:
        yield _directory(stamp.parent)
    try:
        yield from _examine(configuration, environment, stamp, now)
    except (LedgerError, SecretUnavailable) as error:
        found, _, remedy = str(error).rpartition("; ")
        yield problem("ledger", found or str(error), remedy or "Look at the database")


def _directory(directory: Path) -> Finding:
    if os.access(directory, os.W_OK | os.X_OK):
        return ok("stamp", f"is kept in {directory}")
    if directory.is_dir():
        found = f"{directory} can't be written to by you; nothing is sent without a stamp there"
        return warning("stamp", found, "See that the daemon's user can, or run doctor as that user")
    found = f"the state_directory {directory} doesn't exist; nothing is sent without a stamp there"
    return problem("stamp", found, f"mkdir -p {directory}, owned by the daemon's user")


def _examine(
    configuration: Configuration, environment: Mapping[str, str], stamp: Path | None, now: datetime
) -> Iterator[Finding]:
    access = access_to(configuration, environment)
    from smm_rules.ledger.postgres.daemon_lock import holder, process_name
    from smm_rules.ledger.postgres.describing import describe
    from smm_rules.ledger.postgres.errors import translated
    from smm_rules.ledger.postgres.schema import MIGRATIONS, schema_version
    from smm_rules.ledger.postgres.session import connect

    known = _stamp(stamp)
    with translated(access.url), closing(connect(access, process_name("doctor"))) as session:
        version, newest = schema_version(session), MIGRATIONS[-1].version
        if version == 0:
            yield ok("ledger", f"{access.url} holds none yet; the daemon makes it")
            return
        if version > newest:
            found = f"it was written by a newer smm-rules (schema {version}, this one knows {newest})"
            yield problem("ledger", found, "Upgrade smm-rules")
            return
        description = describe(session, access.url)
        yield ok("PostgreSQL", description.server)
        upgrade = f"; the next start upgrades it to schema {newest}" if version < newest else ""
        size = f"{description.size / 1024**2:.1f} MiB"
        yield ok("ledger", f"{description.address}, {size}, schema {version}{upgrade}")
        yield hold_finding(_doubt(session, known))
        if version == newest:
            yield from waiting_findings(session, now)
        beat = heartbeat(session)
        yield daemon_finding(holder(session), beat, now)
        yield from clock_findings(beat, now)


def _stamp(path: Path | None) -> Stamp | StampUnreadable | None:
    """Read before the ledger: a daemon at work moves it."""
    if path is None:
        return None
    try:
        return StampFile(path).read()
    except StampUnreadable as error:
        return error


def _doubt(connection: Connection, stamp: Stamp | StampUnreadable | None) -> HoldReason | None:
    hold, finding = open_hold(connection), compare(connection, stamp)
    if hold is not None:
        return hold.reason
    return None if finding is None or finding.reason in OF_A_NEW_MACHINE else finding.reason
