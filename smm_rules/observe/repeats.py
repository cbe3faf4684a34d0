"""Log lines that say the same again and again: written once a window, with how often they came up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: For so many seconds after a line the very same one is only counted.
WINDOW = 60.0
#: More different lines than this are not remembered at once: the oldest is let go.
MOST_REMEMBERED = 512
#: Areas of the catalogue whose lines may be counted. All others are written every time, a new area included:
#: what is about actions, money, the ledger or words to people is never left out.
_SAMPLED_AREAS = frozenset({"panel", "job", "intake", "library", "refill", "rules", "order"})
#: Fields of the line itself, not of what happened.
_OF_THE_LINE = frozenset({"timestamp"})

Key = tuple[str, ...]


@dataclass(slots=True)
class _Seen:
    """A line that was written at `since` (seconds), and the last of those that were only counted after it."""

    since: float
    count: int = 0
    last: logging.LogRecord | None = None


class Repeats:
    """Which records to write. Not safe for several threads by itself: a handler calls it under its lock."""

    def __init__(self, monotonic: Callable[[], float], window: float = WINDOW) -> None:
        self._monotonic = monotonic
        self._window = window
        self._seen: dict[Key, _Seen] = {}

    def to_write(self, record: logging.LogRecord) -> list[logging.LogRecord]:
        """What is to be written now that `record` came up: counts whose window is over, then the record.

        A record that repeats one of its window is only counted.
        """
        now = self._monotonic()
        due = self._over(now)
        if _always(record):
            return [*due, record]
        key = _key(record)
        seen = self._seen.get(key)
        if seen is not None:
            seen.count += 1
            seen.last = record
            return due
        if len(self._seen) >= MOST_REMEMBERED:
            due += self._ended(next(iter(self._seen)), now)
        self._seen[key] = _Seen(now)
        return [*due, record]

    def rest(self) -> list[logging.LogRecord]:
        """Every line that was only counted so far, for the end of the log."""
        counted = [one for seen in self._seen.values() for one in _counted(seen)]
        self._seen.clear()
        return counted

    def _over(self, now: float) -> list[logging.LogRecord]:
        # In the order in which they were begun, so the first that isn't over ends the search.
        due: list[logging.LogRecord] = []
        while self._seen:
            key, seen = next(iter(self._seen.items()))
            if now - seen.since < self._window:
                break
            due += self._ended(key, now)
        return due

    def _ended(self, key: Key, now: float) -> list[logging.LogRecord]:
        """Forget a line; one that came up again begins its next window, now that the count is written."""
        seen = self._seen.pop(key)
        counted = _counted(seen)
        if counted and now - seen.since < 2 * self._window:
            self._seen[key] = _Seen(now)
        return counted


def _counted(seen: _Seen) -> list[logging.LogRecord]:
    if seen.last is None:
        return []
    record = logging.makeLogRecord(seen.last.__dict__)
    if isinstance(record.msg, dict):
        record.msg = {**record.msg, "repeated": seen.count}
    record.repeated = seen.count
    return [record]


def _always(record: logging.LogRecord) -> bool:
    """Whether a record is written every time, whatever was written before it.

    So is every traceback: two of the same words may come from different places.
    """
    if record.exc_info or record.stack_info:
        return True
    event = record.msg
    if not isinstance(event, Mapping):
        return False  # a library's line
    if event.get("exc_info") or "intent" in event:
        return True
    return str(event.get("event", "")).partition(".")[0] not in _SAMPLED_AREAS


def _key(record: logging.LogRecord) -> Key:
    """What makes two records say the same. An event's fields are compared as they are written."""
    event = record.msg
    if not isinstance(event, Mapping):
        return (record.name, record.levelname, record.getMessage())
    fields = sorted(f"{name}={value!r}" for name, value in event.items() if name not in _OF_THE_LINE)
    return (record.name, record.levelname, *fields)
