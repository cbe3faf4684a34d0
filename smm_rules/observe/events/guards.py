"""Events of guards."""

from __future__ import annotations

from smm_rules.observe.event import Event

EVENTS: tuple[Event, ...] = (
    Event(
        "guard.held",
        "warning",
        ("reason", "of", "count"),
        "A guard holds actions of a rule or panel (`of`); the operator is told once for the guard's window.",
        "`smm-rules intents list --state held`, then approve or deny.",
    ),
    Event(
        "guard.expired",
        "warning",
        ("intent", "reason"),
        "An action waited for an approval for too long and was denied.",
    ),
    Event(
        "guard.stopped",
        "error",
        ("kind", "scope", "name", "reason"),
        "Actions of a rule, to a panel or at all are stopped: by a panic, a breaker, or because a rule would "
        "have acted on too much at once.",
        "Look into `reason`, then `smm-rules resume`.",
    ),
    Event(
        "guard.stop_redated",
        "warning",
        ("kind", "scope", "name", "since", "until"),
        "A pause or a breaker had begun in the future: the clock was ahead then, and was set back. A breaker "
        "lasts its time from now on; a pause of yours keeps its end, and you are told.",
        "See `smm-rules pauses list`, and end what lasts too long.",
    ),
    Event(
        "guard.stop_ended",
        "info",
        ("kind", "scope", "name"),
        "A pause came to its end, or a panel answered again and its breaker closed.",
    ),
)
