"""Events of statements."""

from __future__ import annotations

from smm_rules.observe.event import Event

EVENTS: tuple[Event, ...] = (
    Event("statement.sent", "info", ("day", "channel"), "The statement of `day` was queued for `channel`."),
)
