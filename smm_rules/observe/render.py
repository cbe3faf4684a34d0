"""A log event as one JSON line or as a line for people. No value can forge a line or a colour."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

#: Control characters, line separators, direction marks, what nobody sees, and lone surrogates: nothing a
#: terminal or a log reader may act on or be deceived by. `json.dumps` escapes only those below U+0020.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_BARE = re.compile(r"[^\s\"'=\[\]{}\\]+")
_LEADING = ("timestamp", "level", "event")
_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "31;1"}


def json_line(event: Mapping[str, object]) -> str:
    """One line of JSON: timestamp, level and event first, then the fields as they were given."""
    leading = {name: event[name] for name in _LEADING if name in event}
    rest = {name: value for name, value in event.items() if name not in _LEADING}
    return escaped(json.dumps({**leading, **rest}, ensure_ascii=False, allow_nan=False))


def console_text(event: Mapping[str, object], *, coloured: bool) -> str:
    """`time LEVEL event field=value …`; a traceback follows on marked lines."""
    fields = {name: value for name, value in event.items() if name not in (*_LEADING, "exception", "stack")}
    level = str(event.get("level", "info"))
    words = [
        str(event.get("timestamp", "")),
        _painted(f"{level.upper():<8}", _COLOURS.get(level, "0"), coloured),
        _painted(escaped(str(event.get("event", ""))), "1", coloured),
        *(f"{_painted(escaped(name), '36', coloured)}={_field(value)}" for name, value in fields.items()),
    ]
    lines = [" ".join(words)]
    for name in ("stack", "exception"):
        # Each line is marked, so that a message with a line break can't pass for a line of the log.
        lines += [f"    | {escaped(line)}" for line in str(event.get(name, "")).splitlines()]
    return "\n".join(lines)


def escaped(text: str) -> str:
    r"""`text` with everything unsafe written as `\uXXXX`, in pairs beyond U+FFFF, as JSON does."""
    return _UNSAFE.sub(_as_escape, text)


def _as_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))


def _field(value: object) -> str:
    if isinstance(value, str) and _BARE.fullmatch(value):
        return escaped(value)
    return escaped(json.dumps(value, ensure_ascii=False))


def _painted(text: str, colour: str, coloured: bool) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if coloured else text
