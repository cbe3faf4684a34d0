"""Events of panel: single requests and answers that were not understood."""

from __future__ import annotations

from smm_rules.observe.event import Event

EVENTS: tuple[Event, ...] = (
    Event(
        "panel.request",
        "debug",
        ("panel", "action", "attempt", "outcome", "milliseconds", "error"),
        "One HTTP attempt ended. The outcome is `answered`, or why there is no usable answer: not_sent, "
        "rejected, rate_limited, ambiguous or unreadable; `error` is then the reason in words.",
    ),
    Event(
        "panel.retry",
        "warning",
        ("panel", "action", "attempt", "outcome", "error"),
        "A read failed and is tried again; `attempt` is the number of the new try, the outcome and the error "
        "are those of the one before. Calls that change something are never tried again.",
        "Nothing, if it is rare. Often with rate_limited: lower the panel's requests_per_minute.",
    ),
    Event(
        "panel.row_unreadable",
        "warning",
        ("panel", "action", "count", "example"),
        "Some entries of an answer made no sense and were left out; what is known of them stays as it was.",
        "If it keeps happening, look at the panel's answer and report the form of the example.",
    ),
    Event(
        "panel.answer_unforeseen",
        "error",
        ("panel", "action"),
        "An answer broke its reader. It counts as unreadable: a read is frozen, a paid call is in doubt.",
        "Report it with the traceback: it is a fault of this program.",
    ),
    Event(
        "panel.status_unrecognised",
        "warning",
        ("panel", "kind", "id", "status"),
        "The panel answered with a status nobody knows. It is kept as it is and never taken for an end. Told "
        "once for each status.",
        "Match it in a rule by its text if it matters; report it so that it becomes known.",
    ),
)
