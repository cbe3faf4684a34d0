"""A line of a log, understood: an event of the daemon, or text that is none and is kept as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

#: What sd-daemon(3) puts before a line to tell the journal its priority.
_PRIORITY = re.compile(r"^<[0-7]>")
#: syslog's priorities as levels.
_LEVELS = ("error", "error", "error", "error", "warning", "info", "info", "debug")
_LEADING = frozenset({"timestamp", "level", "event"})
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `event` is empty for what isn't an event: then `text` is all there is, and perhaps a time and
    a level from the journal. `cursor` is the line's place in the journal."""

    text: str
    at: datetime | None = None
    level: str = ""
    event: str = ""
    fields: Mapping[str, Any] | None = None
    cursor: str = ""

    @property
    def of(self) -> Mapping[str, Any]:
        """The event's own fields."""
        return self.fields or {}


def read_line(text: str) -> Line:
    """A line of a file or stream: one of the daemon's, or of `journalctl -o json`."""
    text = _PRIORITY.sub("", text.rstrip("\r\n"))
    found = _mapping(text)
    if found is None:
        return Line(text)
    if "__REALTIME_TIMESTAMP" in found and "MESSAGE" in found:
        return _of_journal(found)
    return _event(text, found)


def _mapping(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _event(text: str, found: Mapping[str, Any]) -> Line:
    name = found.get("event")
    if not isinstance(name, str) or not name:
        return Line(text)
    fields = {key: value for key, value in found.items() if key not in _LEADING}
    return Line(text, _instant(found.get("timestamp")), str(found.get("level", "")), name, fields)


def _of_journal(entry: Mapping[str, Any]) -> Line:
    """What the daemon, or systemd about it, wrote to the journal."""
    message = _PRIORITY.sub("", _text(entry["MESSAGE"]))
    cursor = str(entry.get("__CURSOR", ""))
    found = _mapping(message)
    line = Line(message) if found is None else _event(message, found)
    at = line.at or _microseconds(entry.get("__REALTIME_TIMESTAMP"))
    level = line.level or _priority(entry.get("PRIORITY"))
    return Line(message, at, level, line.event, line.fields, cursor)


def _text(message: object) -> str:
    """The journal gives text, bytes one by one where it isn't UTF-8, or nothing where it is too long."""
    if isinstance(message, str):
        return message
    if isinstance(message, list):
        try:
            return bytes(message).decode("utf-8", "backslashreplace")
        except (ValueError, TypeError):
            return json.dumps(message)
    return "(the journal left this line out: it is too long)"


def _instant(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _microseconds(value: object) -> datetime | None:
    try:
        return _EPOCH + _MICROSECOND * int(str(value))
    except (ValueError, OverflowError):
        return None


def _priority(value: object) -> str:
    text = str(value)
    return _LEVELS[int(text)] if text.isdecimal() and len(text) == 1 and int(text) < len(_LEVELS) else ""
