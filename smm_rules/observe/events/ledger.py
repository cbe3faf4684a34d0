"""Events of ledger."""

from __future__ import annotations

from smm_rules.observe.event import Event

EVENTS: tuple[Event, ...] = (
    Event(
        "ledger.migrated",
        "info",
        ("path", "before", "after"),
        "The ledger's schema was brought from version `before` (0: a new file) to `after`.",
        "Nothing to do. An older smm-rules refuses the file from now on.",
    ),
    Event(
        "ledger.stamp_failed",
        "error",
        ("error",),
        "The stamp beside the ledger couldn't be read or moved. Nothing is sent until it can; every write "
        "tries again.",
        "Look at the disk, and at who owns the file: `smm-rules doctor`.",
    ),
    Event(
        "ledger.stamp_recovered",
        "info",
        (),
        "The stamp beside the ledger can be moved again. What waited is sent.",
    ),
    Event(
        "ledger.connection_lost",
        "warning",
        ("error",),
        "The connection to the ledger's database was lost in the middle of something. It is made anew, and "
        "what was under way is done once.",
        "Look whether the server was restarted; nothing else if `ledger.reconnected` follows.",
    ),
    Event(
        "ledger.reconnected",
        "info",
        (),
        "A connection to the ledger's database that was lost is there again.",
    ),
    Event(
        "ledger.audit_sealed",
        "info",
        ("entries",),
        "So many entries of the record of decisions were older than `audit_retention`: they were sealed by a "
        "checkpoint, which the rest follows from, and dropped.",
    ),
    Event(
        "ledger.wal_unsafe",
        "warning",
        ("path", "library"),
        "The SQLite `library` has the WAL-reset bug, so the ledger uses a rollback journal, which is slower.",
        "Install apsw 3.51.3 or newer.",
    ),
)
