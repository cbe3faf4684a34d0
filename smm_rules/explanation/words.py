"""Values and instants as an explanation writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from smm_rules.facts import Unknown, Value, format_duration

_LONGEST = 80


def in_words(value: Value) -> str:
    """A value the way a condition writes it: `"Partial"`, `true`, `2h30m`, `12.50`; `unknown`."""
    if isinstance(value, Unknown):
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, timedelta):
        return roughly(value)
    if isinstance(value, int):
        return str(value)
    text = value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
    return f'"{text}"'


def moment(at: datetime) -> str:
    """An instant to the second, UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def roughly(duration: timedelta) -> str:
    """A duration to the second, rounded up, so that waiting for so long is enough: `4m`, `2h30m`."""
    whole = timedelta(seconds=-(-duration // timedelta(seconds=1)))
    return format_duration(whole)


def span(duration: timedelta) -> str:
    """How long ago, to the two largest units: `3d4h`, `12m5s`; `0s` for what lies ahead."""
    seconds = max(int(duration.total_seconds()), 0)
    parts: list[str] = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
        elif parts:
            break
    return "".join(parts[:2]) if parts[-1] != "0s" or len(parts) == 1 else parts[0]


def sentence(text: str) -> str:
    """`text` with a full stop, and a capital first letter where it doesn't begin with a name or code."""
    first = text.partition(" ")[0]
    return with_stop(text[:1].upper() + text[1:] if first.isalpha() else text)


def with_stop(text: str) -> str:
    """`text` with a full stop."""
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."
