"""Log lines as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from smm_rules.cli.logs.line import Line
from smm_rules.observe.event import Event
from smm_rules.observe.render import console_text, escaped

#: What a line is about comes first, what was said in whole sentences last.
_FIRST = ("rule", "panel", "entity", "order", "intent")
_LAST = ("reason", "error", "detail", "message")
_AFTER_ALL = ("repeated", "correlation")
_NOTHING_TO_DO = "Nothing to do."


def shown(line: Line, *, coloured: bool, explained: Mapping[str, Event] | None = None) -> str:
    """The line, an event with its time to the second (UTC), level, name and fields in the order of their use.

    With the catalogue as `explained` a warning or an error is followed by what it means and what to do.
    """
    at = "" if line.at is None else line.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if not line.event:
        lead = f"{at} " if at else ""
        text = f"{lead}| {escaped(line.text)}"
        return f"\x1b[2m{text}\x1b[0m" if coloured else text
    known = {"timestamp": at or "(no time)", "level": line.level or "info", "event": line.event}
    text = console_text({**known, **_ordered(line.of)}, coloured=coloured)
    event = (explained or {}).get(line.event)
    if event is None or line.level not in ("warning", "error"):
        return text
    advice = [event.meaning] + ([] if event.action == _NOTHING_TO_DO else [f"What to do: {event.action}"])
    return "\n".join([text, *(f"    > {sentence}" for sentence in advice)])


def _ordered(fields: Mapping[str, Any]) -> dict[str, Any]:
    placed = (*_FIRST, *_LAST, *_AFTER_ALL)
    middle = [name for name in fields if name not in placed]
    names = [*_FIRST, *middle, *_LAST, *_AFTER_ALL]
    return {name: fields[name] for name in names if name in fields}
