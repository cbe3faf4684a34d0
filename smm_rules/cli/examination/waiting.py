"""What waits for the operator, and when a backup was made last, as the ledger itself tells."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from smm_rules.cli.examination.finding import Finding, ok, warning
from smm_rules.cli.terminal import counted
from smm_rules.facts import format_duration
from smm_rules.ledger.audit import AuditKind, AuditQuery
from smm_rules.ledger.records import IntentState, MessageState
from smm_rules.ledger.sql import audit, housekeeping, sources, stops
from smm_rules.ledger.sql.query import Connection
from smm_rules.standing.stops import in_words

#: A backup older than this is worth a word.
_OLD_BACKUP = timedelta(days=7)
#: One that is read is tried again within the hour: what was due so long ago isn't configured any more.
_FORGOTTEN_SOURCE = timedelta(days=1)
_MANY = 100_000


def waiting_findings(connection: Connection, now: datetime) -> Iterator[Finding]:
    """Doubts, held actions, stops and messages that nobody took."""
    totals = housekeeping.totals(connection, now)
    doubts = totals.intents.get(IntentState.UNKNOWN, 0)
    if doubts:
        found = f"{counted(doubts, 'action')}: it may have happened or not"
        yield warning("in doubt", found, "smm-rules status")
    held = totals.intents.get(IntentState.HELD, 0)
    if held:
        yield warning("held", f"{counted(held, 'action')} for you to approve or deny", "smm-rules status")
    stopping = [stop for stop in stops.active(connection) if stop.active(now)]
    for stop in stopping:
        yield warning("stopped", in_words(stop), "smm-rules pauses list, then smm-rules resume")
    yield from _source_findings(connection, now)
    dead = totals.messages.get(MessageState.DEAD, 0)
    if dead:
        found = f"{counted(dead, 'message')} given up: no channel took them"
        yield warning("messages", found, "smm-rules outbox list --dead")
    if not (doubts or held or stopping or dead):
        yield ok("waiting", "nothing: no doubt, no held action, no stop, no message that was given up")


def _source_findings(connection: Connection, now: datetime) -> Iterator[Finding]:
    """Databases of orders that can't be read; those that nobody reads any more are left out."""
    for source in sources.standings(connection):
        if source.failing_since is not None and source.due_at > now - _FORGOTTEN_SOURCE:
            since = format_duration(_round(max(now - source.failing_since, timedelta())))
            found = f"couldn't be read for {since}: {source.error}"
            yield warning(f"source {source.name}", found, f"smm-rules orders source try {source.name}")


def backup_finding(connection: Connection, now: datetime) -> Finding:
    """When the last backup was made, as the record tells, and whether others can read it."""
    made = audit.page(connection, AuditQuery(kinds=(AuditKind.BACKUP.value,)), 0, _MANY)
    if not made:
        return warning("backup", "none was ever made", "smm-rules backup DIRECTORY, every day")
    last = made[-1]
    path, age = Path(str(last.data.get("path", ""))), max(now - last.at, timedelta())
    told = f"the last was made {format_duration(_round(age))} ago: {path}"
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        mode = 0  # moved away, or on a machine of its own: as it should be
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        found = f"{path} is open to other users (mode {mode:04o}): it holds all that you order"
        return warning("backup", found, f"chmod 600 {path}")
    if age > _OLD_BACKUP:
        return warning("backup", told, "smm-rules backup DIRECTORY, every day")
    return ok("backup", told)


def _round(age: timedelta) -> timedelta:
    whole = timedelta(days=1) if age >= timedelta(days=2) else timedelta(minutes=1)
    return max(age // whole * whole, timedelta(minutes=1))
