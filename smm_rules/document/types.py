"""The value types that rules and configuration share, each refusing with a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Never

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from smm_rules.facts import format_duration, parse_duration

#: The type of our own pydantic errors; `validate` tells them as they are.
REFUSED = "refused"


class Settings(BaseModel):
    """Base of everything read from a file: frozen, no unknown keys, no silent conversions."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
        populate_by_name=False,
        allow_inf_nan=False,
        # Each is made ready when something is first read by it, and what stands within it along with it:
        # that halves the time of importing them all, and most commands read by few or none.
        defer_build=True,
    )

    #: What a key of it is called in sentences.
    noun: ClassVar[str] = "key"
    #: Keys people try here that don't exist, each with what to do instead.
    hints: ClassVar[Mapping[str, str]] = {}


def refuse(message: str, suggestion: str = "") -> Never:
    """Raise from a validator. A message that begins in lower case follows the key's name."""
    raise PydanticCustomError(REFUSED, "{message}", {"message": message, "suggestion": suggestion})


def written(value: object) -> str:
    """A short value as it stands in a file, for a sentence about it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    text = text if len(text) <= 40 else text[:39] + "…"
    return f'"{text}"' if isinstance(value, str) else f"the number {text}"


_UNIT_WORD = r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)"
_WORD = re.compile(rf"(\d{{1,6}})\s*({_UNIT_WORD})\b", re.IGNORECASE)
_IN_WORDS = re.compile(rf"\s*(?:\d{{1,6}}\s*{_UNIT_WORD}[\s,]*(?:and\s+)?)+", re.IGNORECASE)


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError as error:
            if "is not a duration" not in str(error):
                refuse(f"must be a duration like 10m; {error}")
    suggestion = f"Write {value}s, {value}m or {value}h" if _is_count(value) else _in_letters(value)
    refuse(f"must be a duration like 30s, 10m, 1h30m or 3d, not {written(value)}", suggestion)


def _in_letters(value: Any) -> str:
    """A way to write a duration that was written in words, such as `10 minutes`."""
    if not isinstance(value, str) or not _IN_WORDS.fullmatch(value):
        return ""
    letters = "".join(number + unit[0].lower() for number, unit in _WORD.findall(value))
    with suppress(ValueError):
        parse_duration(letters)
        return f"Write {letters}"
    return ""


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 100_000


def duration_of(value: Any, shortest: timedelta) -> timedelta:
    """The duration that is written, refused where it isn't one or is shorter; for validators of their own."""
    found = _duration(value)
    if found < shortest:
        refuse(f"must be at least {format_duration(shortest)}, not {format_duration(found)}")
    return found


#: `10m`, `1h30m`, `3d`.
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+[smhdw])+$", "examples": ["10m", "1h30m", "3d"]}),
]


def at_least(shortest: timedelta) -> AfterValidator:
    """A bound for a `Duration`."""

    def check(value: timedelta) -> timedelta:
        if value < shortest:
            refuse(f"must be at least {format_duration(shortest)}, not {format_duration(value)}")
        return value

    return AfterValidator(check)


_PERCENTAGE = re.compile(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)


def _percentage(value: Any) -> Decimal:
    if isinstance(value, str) and (match := _PERCENTAGE.fullmatch(value.strip())):
        share = Decimal(match[1]) / 100
        if share <= 10:
            return share
        refuse("must be at most 1000%")
    plain = isinstance(value, int | Decimal) and not isinstance(value, bool)
    refuse(f"must be a percentage like 10%, not {written(value)}", f"Write {value}%" if plain else "")


#: `10%`, kept as the share 0.1.
Percentage = Annotated[
    Decimal,
    BeforeValidator(_percentage),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$", "examples": ["10%"]}),
]

_SLUG = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*", re.ASCII)
_LONGEST_SLUG = 64


def _slug(value: str) -> str:
    if len(value) > _LONGEST_SLUG:
        refuse(f"must be at most {_LONGEST_SLUG} characters long")
    if not _SLUG.fullmatch(value):
        near = re.sub(r"[^A-Za-z0-9]+", "-", value).strip("-")
        suggestion = f"Write it as {near}" if _SLUG.fullmatch(near) else ""
        refuse(f"must be a name of letters, digits and dashes, not {written(value)}", suggestion)
    return value


#: A name: letters and digits, joined by dashes or underscores.
Slug = Annotated[str, AfterValidator(_slug), Field(json_schema_extra={"pattern": f"^{_SLUG.pattern}$"})]


def _no_blank(value: str) -> str:
    if not value.strip():
        refuse("must not be empty")
    return value


#: Text with something in it.
FilledText = Annotated[str, AfterValidator(_no_blank)]


def as_list(value: Any) -> Any:
    """One value stands for a list of one; nothing stands for nothing."""
    if value is None:
        refuse("has no value")
    return value if isinstance(value, list | tuple) else [value]


def one_or_many(item: Any) -> BeforeValidator:
    """For a list that may be written as its only item."""
    return BeforeValidator(as_list, json_schema_input_type=item | list[item])


def exactly_one(names: tuple[str, ...], given: set[str], example: str) -> None:
    """Refuse unless exactly one of `names` is among `given`."""
    chosen = [name for name in names if name in given]
    if not chosen:
        refuse(f"One of these keys is needed here: {', '.join(names)}", f"Write for example {example}")
    if len(chosen) > 1:
        refuse(f"Only one of these keys can stand here: {', '.join(chosen)}", "Make one entry of each")
