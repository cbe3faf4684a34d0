"""The filters a template may use: one table for the sandbox, the checker and the documentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from jinja2 import Undefined

from smm_rules.facts import format_duration
from smm_rules.rules.condition.operations import CONTEXT
from smm_rules.rules.template.writing import LONGEST_OUTPUT, TemplateFailed, WrongKind, bounded, written

MOST_PLACES = 12


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter. It takes from `least` to `most` values in parentheses."""

    name: str
    apply: Callable[..., object]
    meaning: str
    example: str
    least: int = 0
    most: int = 0


def _number(value: object, filter_name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise WrongKind(f'`{filter_name}` takes a number, not "{written(value)[:40]}"')
    return Decimal(value)


def _places(value: object, filter_name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_PLACES:
        raise WrongKind(f"`{filter_name}` takes a number of decimals from 0 to {MOST_PLACES}")
    return value


def _rounded(number: Decimal, places: int) -> str:
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, CONTEXT)
    if not rounded.is_finite():
        raise TemplateFailed("A number is too large to be rounded")
    return f"{rounded if rounded else abs(rounded):f}"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _money(value: object, places: object = None) -> str:
    number = _number(value, "money")
    if places is not None:
        return _rounded(number, _places(places, "money"))
    whole, _, decimals = _plain(number).partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def _number_filter(value: object, places: object = None) -> str:
    number = _number(value, "number")
    return _plain(number) if places is None else _rounded(number, _places(places, "number"))


def _percent(value: object, places: object = 0) -> str:
    return _rounded(CONTEXT.multiply(_number(value, "percent"), 100), _places(places, "percent")) + "%"


def _duration(value: object) -> str:
    if isinstance(value, timedelta):
        return format_duration(value)
    try:
        return format_duration(timedelta(seconds=int(_number(value, "duration"))))
    except OverflowError:
        raise TemplateFailed("A duration is too long to be written") from None


def _default(value: object, other: object) -> object:
    return other if isinstance(value, Undefined) or value == "" else value


def _upper(value: object) -> str:
    return bounded(written(value)).upper()


def _lower(value: object) -> str:
    return bounded(written(value)).lower()


def _trim(value: object) -> str:
    return written(value).strip()


def _replace(value: object, old: object, new: object) -> str:
    text, before, after = written(value), written(old), written(new)
    if not before:
        raise WrongKind("`replace` needs a text to look for")
    if len(text) + text.count(before) * len(after) > 2 * LONGEST_OUTPUT:
        raise TemplateFailed(f"The text comes to more than {LONGEST_OUTPUT} characters")
    return bounded(text.replace(before, after))


def _truncate(value: object, length: object) -> str:
    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        raise WrongKind("`truncate` takes a length above 0")
    text = written(value)
    return text if len(text) <= length else text[: length - 1] + "…"


_TABLE = (
    Filter(
        "money",
        _money,
        "a number with two or more decimals, or with as many as given",
        "{{ amount | money }}",
        most=1,
    ),
    Filter(
        "number",
        _number_filter,
        "a number, rounded where decimals are given",
        "{{ progress | number(2) }}",
        most=1,
    ),
    Filter("percent", _percent, "a share as a percentage", "{{ progress | percent }}", most=1),
    Filter("duration", _duration, "a duration, or a number of seconds, like 1h30m", "{{ age | duration }}"),
    Filter(
        "default",
        _default,
        "another value where the fact is unknown or empty",
        '{{ start_count | default("?") }}',
        least=1,
        most=1,
    ),
    Filter("upper", _upper, "capitals", "{{ status | upper }}"),
    Filter("lower", _lower, "small letters", "{{ status | lower }}"),
    Filter("trim", _trim, "without spaces around it", "{{ label | trim }}"),
    Filter(
        "replace",
        _replace,
        "one text put for another",
        '{{ link | replace("https://", "") }}',
        least=2,
        most=2,
    ),
    Filter(
        "truncate", _truncate, "the beginning, at most so long", "{{ link | truncate(40) }}", least=1, most=1
    ),
)

FILTERS: dict[str, Filter] = {each.name: each for each in _TABLE}


def implementation(used: Filter) -> Callable[..., object]:
    """What the sandbox calls for a filter: an unknown fact fails in its own words, but for `default`."""

    def apply(value: object, *arguments: object) -> object:
        for each in arguments if used.name == "default" else (value, *arguments):
            if isinstance(each, Undefined):
                str(each)  # raises: it is not known
        return used.apply(value, *arguments)

    return apply
