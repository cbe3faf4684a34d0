"""Panels: what polling them came to → the facts to store."""

from __future__ import annotations

from datetime import datetime

from smm_rules.engine.observation import Observation
from smm_rules.facts import Facts

#: What belongs in a panel's history. Not `failures`: an outage is one entry and not one for every poll.
_TELLING = ("name", "reachable", "last_error")


def answered(before: Facts, name: str, now: datetime) -> Observation:
    """The facts of the panel called `name` after it answered. The last failure's words are kept."""
    kept = {key: value for key, value in before.items() if key != "failing_since"}
    after: Facts = {
        "last_error": "",
        **kept,
        "name": name,
        "reachable": True,
        "failures": 0,
        "last_answer_at": now,
    }
    return _observation(before, after)


def failed(before: Facts, name: str, error: str, now: datetime) -> Observation:
    """The facts of the panel called `name` after a poll failed with `error`."""
    failures = before.get("failures", 0)
    after: Facts = {
        "failing_since": now,
        **before,
        "name": name,
        "reachable": False,
        "failures": (failures if isinstance(failures, int) else 0) + 1,
        "last_error": error,
    }
    return _observation(before, after)


def catalogue_read(before: Facts, now: datetime) -> Facts:
    """The facts of a panel whose catalogue has just been read; made from those `answered` gave."""
    return before | {"catalogue_read_at": now}


def _observation(before: Facts, after: Facts) -> Observation:
    return Observation(after, any(before.get(name) != after.get(name) for name in _TELLING))
