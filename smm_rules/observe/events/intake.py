"""Events of intake."""

from __future__ import annotations

from smm_rules.observe.event import Event

EVENTS: tuple[Event, ...] = (
    Event(
        "intake.batch_tracked",
        "debug",
        ("added", "known", "bad"),
        "One batch of an import is durable: new orders, orders known before, lines that were no orders.",
    ),
    Event("intake.file_claimed", "info", ("file",), "A file in the drop folder is complete and is now read."),
    Event(
        "intake.file_resumed",
        "warning",
        ("file",),
        "A file was found half read after a stop or a crash; it is read again, known orders are kept.",
    ),
    Event(
        "intake.file_imported",
        "info",
        ("file", "added", "known", "bad"),
        "A file from the drop folder was read to its end and moved to done/.",
    ),
    Event(
        "intake.file_has_bad_lines",
        "warning",
        ("file", "reasons", "bad"),
        "Some lines of a file were no orders; they are kept with the reasons in done/.",
        "Look at the file named by `reasons`, mend the lines and drop them again.",
    ),
    Event(
        "intake.file_failed",
        "error",
        ("file", "error", "to_do"),
        "A file from the drop folder can't be read at all; nothing of it was taken. It is in failed/.",
        "Mend it as `to_do` says and drop it again.",
    ),
    Event(
        "intake.file_stuck",
        "error",
        ("file", "error"),
        "A file in the drop folder can't be moved or read. Told once a file; every scan tries again.",
        "Give the daemon's user the right to write to the folder; look at the disk.",
    ),
)
