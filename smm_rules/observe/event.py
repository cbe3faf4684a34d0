"""One entry of the catalogue of events: what a log line means and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """A documented log event. `level` is debug, info, warning or error; `fields` are always present."""

    name: str
    level: str
    fields: tuple[str, ...]
    meaning: str
    action: str = "Nothing to do."
    optional: tuple[str, ...] = ()
