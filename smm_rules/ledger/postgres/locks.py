"""The advisory locks of a ledger, which PostgreSQL drops when their session ends, however it ends."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

#: `smmr` in ASCII: apart from locks of other programs on the same database.
SPACE: Final = 0x736D_6D72


class Lock(IntEnum):
    """What is locked.

    DECIDING: by a transaction that plans, claims, settles or otherwise decides, alone; the record of
    decisions is one chain, and guards add up what all others have planned. SCHEMA: shared by all who work on
    the ledger, alone by who upgrades it. DAEMON: by the one daemon.
    """

    DECIDING = 1
    SCHEMA = 2
    DAEMON = 3


def call(function: str, lock: Lock) -> str:
    """A call of an advisory lock function, such as `pg_try_advisory_lock`."""
    return f"{function}({SPACE}, {lock.value})"


#: Who holds a lock, by the names of their sessions, the oldest first.
HOLDERS = f"""
  SELECT a.application_name, l.mode FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.classid = {SPACE} AND l.objid = ? AND l.pid <> pg_backend_pid()
  ORDER BY a.backend_start
"""  # noqa: S608 - only constants are put in
