"""Rules that act on the same things: shown by an example for which both conditions hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice, product
from typing import Any

from smm_rules.document.problem import Problem
from smm_rules.facts import (
    UNKNOWN,
    EntityKind,
    FactType,
    Field,
    Known,
    OrderStatus,
    RefillStatus,
    Value,
    format_duration,
    readable_fields,
)
from smm_rules.rules.analysis.allowed import Allowed, Range
from smm_rules.rules.analysis.box import Box, Boxes, TooManyBoxes
from smm_rules.rules.analysis.conditions import holding, warning
from smm_rules.rules.analysis.world import BASE, possible
from smm_rules.rules.expression import CompiledCondition
from smm_rules.rules.model import Rule

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
#: Of more acting rules than this not every two are held against each other.
MOST_RULES = 150
_MOST_TRIALS = 400
_SAMPLES: dict[FactType, tuple[Known, ...]] = {
    FactType.BOOLEAN: (True, False),
    FactType.NUMBER: (100, 0, 1),
    FactType.MONEY: (Decimal(100), Decimal(0), Decimal(1)),
    FactType.TEXT: ("text",),
    FactType.ORDER_STATUS: (*(status.value for status in OrderStatus), "Frozen"),
    FactType.REFILL_STATUS: (*(status.value for status in RefillStatus), "Frozen"),
    FactType.DURATION: (timedelta(hours=1), timedelta()),
    FactType.TIME: (_NOW - timedelta(hours=1),),
}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An acting rule with its condition and every way for it to hold."""

    rule: Rule
    when: CompiledCondition
    boxes: Boxes


def overlap_warnings(rules: Sequence[Rule]) -> Iterator[Problem]:
    """A warning at the later of two rules that act on the same order, with an example of one."""
    candidates = [_candidate(rule) for rule in rules if rule.acts]
    acting = [candidate for candidate in candidates if candidate is not None][:MOST_RULES]
    for index, later in enumerate(acting):
        for earlier in acting[:index]:
            example = _example(earlier, later)
            if example is not None:
                yield _told(earlier, later, example)


def _candidate(rule: Rule) -> _Candidate | None:
    if isinstance(rule.when, CompiledCondition):
        with suppress(TooManyBoxes):
            return _Candidate(rule, rule.when, holding(rule.when.clauses, rule.watch))
    return None


def _told(earlier: _Candidate, later: _Candidate, example: Mapping[str, Known]) -> Problem:
    told = ", ".join(f"{name} {_written(value)}" for name, value in example.items())
    thing = later.rule.watch
    message = (
        f'"{later.rule.name}" and "{earlier.rule.name}" can both act on the same {thing}, for example with '
        f"{told}"
    )
    return warning(
        later.when.clauses[0].position, message, "Let their conditions exclude each other, or make one rule"
    )


def _written(value: Known) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return format_duration(value)
    return str(value)


def _example(first: _Candidate, second: _Candidate) -> dict[str, Known] | None:
    """Facts with which both rules hold, None where none was found."""
    one, other = first.rule, second.rule
    apart = one.panels is not None and other.panels is not None and one.panels.isdisjoint(other.panels)
    if one.watch is not other.watch or apart:
        return None
    with suppress(TooManyBoxes):
        met = (here.meeting(there) for here in first.boxes for there in second.boxes)
        boxes = tuple(islice((box for box in met if box is not None), 8))
        for box in possible(boxes, one.watch):
            example = _within(box, first, second)
            if example is not None:
                return example
    return None


def _within(box: Box, first: _Candidate, second: _Candidate) -> dict[str, Known] | None:
    kind = first.rule.watch
    names = first.when.names | second.when.names
    fields = [field for field in dict.fromkeys(readable_fields(kind).values()) if field.name in names]
    choices = [_choices(field, box, kind) for field in fields]
    for values in islice(product(*choices), _MOST_TRIALS):
        example = {field.name: value for field, value in zip(fields, values, strict=True)}
        stored = _stored(fields, example)
        if first.when.holds(stored, _NOW) and second.when.holds(stored, _NOW):
            return {name: value for name, value in example.items() if value is not UNKNOWN}  # type: ignore[misc]  # what is unknown is left out
    return None


def _choices(field: Field, box: Box, kind: EntityKind) -> list[Value]:
    """Values of a fact to try, those it most likely takes first."""
    if (field.since or field.name) in box.missing:
        return [UNKNOWN]
    allowed = box.allowed.get(field.name) or BASE[kind].get(field.name)
    samples: list[Any] = list(_SAMPLES[field.type])
    if isinstance(allowed, Range):
        samples = [*_within_range(allowed, field.type), *samples]
    elif allowed is not None:
        samples = [*sorted(allowed.values, key=str), *samples]
    return [value for value in dict.fromkeys(samples) if allowed is None or _holds(allowed, value)][:4]


def _holds(allowed: Allowed, value: Any) -> bool:
    try:
        return allowed.holds(value)
    except TypeError:
        return False


def _within_range(allowed: Range, kind: FactType) -> Iterator[Any]:
    """Values just inside a range, at its ends and in its middle."""
    step: Any = timedelta(minutes=1) if kind is FactType.DURATION else 1
    low, high = allowed.low, allowed.high
    if isinstance(low, datetime) or isinstance(high, datetime):
        step = timedelta(minutes=1)
    if low is not None:
        yield from (low, low + step)
    if high is not None:
        yield from (high - step, high)
    if low is not None and high is not None:
        yield low + (high - low) / 2


def _stored(fields: Sequence[Field], example: Mapping[str, Value]) -> dict[str, Value]:
    stored: dict[str, Value] = {}
    for field in fields:
        value = example[field.name]
        if field.since is None:
            stored[field.name] = value
        elif isinstance(value, timedelta):
            stored[field.since] = _NOW - value
    return stored
