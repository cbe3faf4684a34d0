"""Values of a log event made plain: text, numbers, booleans, None, lists and mappings by text."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath

from smm_rules.facts import Entity, format_duration

#: Deeper than any event of ours nests; also what ends a structure that holds itself.
DEEPEST = 8
#: The most characters of one text that a log line carries.
LONGEST_TEXT = 16_384
#: The most members of one list or mapping that a log line carries.
MOST_MEMBERS = 200


def plain(value: object, depth: int = 0) -> object:
    """`value` in the shapes JSON knows: money and instants as text, durations like `1h30m`."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value, depth)
    if isinstance(value, str):
        # str() takes a subclass of str back to str itself.
        return str(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping | list | tuple | AbstractSet) and not isinstance(value, Entity):
        return _nested(value, depth)
    return _text(value)


def shortened(value: object) -> object:
    """A plain value with its texts cut to `LONGEST_TEXT`, in the middle: a traceback's end says the most.

    To be called after redaction, for a secret cut in two would not be recognised.
    """
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        half = LONGEST_TEXT // 2
        return f"{value[:half]} … ({len(value) - 2 * half} characters left out) … {value[-half:]}"
    if isinstance(value, dict):
        return {name: shortened(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shortened(member) for member in value]
    return value


def _number(value: int | float) -> int | float | str:
    """Numbers that JSON can't write (inf, nan) become text; an int too long to print becomes its size."""
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    return value if value.bit_length() <= 256 else f"(an integer of {value.bit_length()} bits)"


def _nested(value: object, depth: int) -> object:
    if depth >= DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        members = list(value.items())[:MOST_MEMBERS]
        return {_name(key): plain(member, depth + 1) for key, member in members}
    assert isinstance(value, list | tuple | AbstractSet)
    ordered = sorted(value, key=str) if isinstance(value, AbstractSet) else list(value)
    kept: list[object] = [plain(member, depth + 1) for member in ordered[:MOST_MEMBERS]]
    if len(ordered) > MOST_MEMBERS:
        kept.append(f"… ({len(ordered) - MOST_MEMBERS} more)")
    return kept


def _name(key: object) -> str:
    return str(plain(key, DEEPEST))


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        # Plain digits read better than 1E+3; only absurd exponents keep it.
        return format(value, "f") if value.is_finite() and abs(value.adjusted()) <= 30 else str(value)
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, date | PurePath | Entity):
        return str(value)
    try:
        if isinstance(value, BaseException):
            return f"{type(value).__name__}: {value}"
        return repr(value)
    except Exception as error:
        # A log line must not be lost to a faulty __repr__.
        return f"<{type(value).__name__} whose text raises {type(error).__name__}>"


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _duration(value: timedelta) -> str:
    """Whole seconds as people write them, anything finer in seconds: `10m`, `0.25s`."""
    if value.microseconds == 0:
        return format_duration(value)
    return f"{value.total_seconds():.6f}".rstrip("0") + "s"
