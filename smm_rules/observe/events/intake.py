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
    Event(
        "intake.source_read",
        "debug",
        ("source", "rows", "added", "bad", "watermark"),
        "A database of orders was read to its end; most rows were known, for the last ones are read again.",
    ),
    Event(
        "intake.source_added",
        "info",
        ("source", "added"),
        "Orders of a database are watched from now on.",
    ),
    Event(
        "intake.source_has_bad_rows",
        "warning",
        ("source", "bad", "row", "error", "to_do"),
        "Rows of a database were no orders; the first one and what is wrong with it. Each is told once.",
        "See all with `smm-rules orders source bad NAME`; mend them in the database, or the `columns`.",
    ),
    Event(
        "intake.source_ahead",
        "warning",
        ("source", "watermark"),
        "A row's watermark lies in the future. Its order is taken; reading doesn't go on from there.",
        "Mend the stamp in the database.",
    ),
    Event(
        "intake.source_failed",
        "warning",
        ("source", "error", "failures", "again_at"),
        "A database of orders couldn't be read. It is tried again, ever more rarely, at most an hour later.",
        "Try it with `smm-rules orders source try NAME`.",
    ),
    Event(
        "intake.source_recovered",
        "info",
        ("source", "failures"),
        "A database of orders can be read again.",
    ),
    Event("intake.http_serving", "info", ("address",), "The HTTP intake is served there."),
    Event(
        "intake.http_standby",
        "info",
        ("address",),
        "Another worker on this machine serves the HTTP intake. This one takes its place once it is gone.",
    ),
    Event(
        "intake.http_not_served",
        "error",
        ("address", "error"),
        "The HTTP intake can't be served. The daemon goes on with its work, tells the operator once and "
        "tries again every half a minute.",
        "Do what `error` says, or take `intake.http` out of the configuration.",
    ),
    Event(
        "intake.http_failed",
        "error",
        ("address", "error"),
        "The HTTP intake's server ended by itself. It is started anew; the daemon's work goes on.",
        "Report it with the traceback.",
    ),
    Event(
        "intake.http_tracked",
        "info",
        ("client", "added", "known", "refused"),
        "A program handed over orders to be watched: new ones, known ones, and those that couldn't be taken.",
    ),
    Event(
        "intake.http_placed",
        "info",
        ("client", "intent", "panel", "state", "reason"),
        "A program asked for a purchase under a key that was new. It is planned, held or denied by what is "
        "configured; it isn't sent yet.",
    ),
    Event(
        "intake.http_replayed",
        "info",
        ("client", "intent"),
        "A program asked again for a purchase that was planned before. It got the first answer; nothing was "
        "done.",
    ),
    Event(
        "intake.http_key_reused",
        "warning",
        ("client", "intent"),
        "A program used a key for something else than before. Nothing was done.",
        "Mend the program: each purchase needs a key of its own, and asking again the very same body.",
    ),
    Event(
        "intake.http_stranger",
        "warning",
        ("peer",),
        "A request came without a known token.",
        "If it wasn't one of your programs, see who can reach the address.",
    ),
    Event(
        "intake.http_throttled",
        "warning",
        ("peer",),
        "Too many requests came without a known token; further ones are answered with 429 for a while.",
        "If it wasn't one of your programs, see who can reach the address.",
    ),
    Event(
        "intake.http_refused",
        "info",
        ("client", "operation", "code"),
        "A request wasn't done as it wished. The client was told what is wrong; `code` says which kind.",
    ),
    Event(
        "intake.http_ledger_failed",
        "error",
        ("operation", "error"),
        "A request couldn't be done because the ledger couldn't be read or written, or is on hold. The "
        "client was told to ask again under the same key.",
        "Do what `error` says.",
    ),
    Event(
        "intake.http_call_failed",
        "error",
        ("operation", "error", "name"),
        "A request couldn't be answered, a fault of the program. Whoever asked was told `name`.",
        "Report it with the traceback.",
    ),
)
