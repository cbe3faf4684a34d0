"""Events of the log itself."""

from __future__ import annotations

from smm_rules.observe.event import Event

EVENTS: tuple[Event, ...] = (
    Event(
        "library.message",
        "info",
        ("logger", "message"),
        "A library the daemon uses said something; `logger` names it. The level is the library's own.",
        "Nothing to do for info. A warning that keeps coming belongs into a bug report.",
    ),
    Event(
        "tracing.failed",
        "warning",
        ("error",),
        "A trace could not be kept. Nothing else is affected.",
        "If it keeps coming, it belongs into a bug report with its `error`.",
    ),
    Event(
        "observe.line_lost",
        "error",
        ("logger", "error"),
        "A log line of `logger` could not be written; `error` is the kind of failure. "
        "Its content is withheld because it could not be checked for secrets.",
        "Look at the log's disk and at whoever reads the daemon's standard error.",
    ),
)
