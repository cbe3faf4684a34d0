"""Events of intake."""

from __future__ import annotations

from smm_rules.observe.event import Event

EVENTS: tuple[Event, ...] = ()
