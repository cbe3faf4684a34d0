"""Rules that act on the same things: shown by an example for which both conditions hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
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
from smm_rules.rules.analysis.allowed import Allowed, Choice, Range
from smm_rules.rules.analysis.box import Box, Boxes, TooManyBoxes
from smm_rules.rules.analysis.conditions import warning
from smm_rules.rules.analysis.reading import Reading
from smm_rules.rules.analysis.world import BASE, possible
from smm_rules.rules.expression import CompiledCondition
from smm_rules.rules.model import Rule

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
#: Of rules that act on similar things, no more pairs than this are held against each other.
MOST_PAIRS = 12_000
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
class Acting:
    """A rule that acts, and its condition read."""

    rule: Rule
    when: Reading


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An acting rule with its condition and every way for it to hold.

    `choices` are the terms that have one of a few values in each of these ways.
    """

    rule: Rule
    when: CompiledCondition
    boxes: Boxes
    choices: Mapping[str, frozenset[Any]]


def overlap_warnings(acting: Iterable[Acting]) -> Iterator[Problem]:
    """A warning at the later of two rules that act on the same order, with an example of one."""
    candidates = [candidate for one in acting if (candidate := _candidate(one)) is not None]
    for earlier, later in islice(_pairs(candidates), MOST_PAIRS):
        example = _example(earlier, later)
        if example is not None:
            yield _told(earlier, later, example)


def _candidate(acting: Acting) -> _Candidate | None:
    with suppress(TooManyBoxes):
        boxes = acting.when.holding()
        return _Candidate(acting.rule, acting.when.condition, boxes, _choices_of(boxes)) if boxes else None
    return None


def _choices_of(boxes: Boxes) -> dict[str, frozenset[Any]]:
    found: dict[str, frozenset[Any]] = {}
    for term in boxes[0].allowed:
        each = [box.allowed.get(term) for box in boxes]
        choices = [one.values for one in each if isinstance(one, Choice) and not one.without]
        if len(choices) == len(boxes):
            found[term] = frozenset().union(*choices)
    return found


def _pairs(candidates: Sequence[_Candidate]) -> Iterator[tuple[_Candidate, _Candidate]]:
    """Every earlier and later rule, but for those whose plain values tell them apart at once."""
    rivals = Counter(
        (term, value) for each in candidates for term in each.choices for value in each.choices[term]
    )
    earlier = _Earlier(rivals)
    for place, later in enumerate(candidates):
        for other in earlier.meeting(later):
            yield candidates[other], later
        earlier.add(place, later)


@dataclass(slots=True)
class _Earlier:
    """Rules found by the values of one of their choices: that which fewest rules share, told by `rivals`."""

    rivals: Counter[tuple[str, Any]]
    by_value: defaultdict[str, defaultdict[Any, list[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    unsorted: list[int] = field(default_factory=list)

    def add(self, place: int, candidate: _Candidate) -> None:
        if not candidate.choices:
            self.unsorted.append(place)
            return
        shared = {
            term: max(self.rivals[term, value] for value in values)
            for term, values in candidate.choices.items()
        }
        term = min(shared, key=lambda term: (shared[term], term))
        for value in candidate.choices[term]:
            self.by_value[term][value].append(place)

    def meeting(self, candidate: _Candidate) -> list[int]:
        """The places of those that share a value with `candidate` or have none to tell by, in order."""
        found = set(self.unsorted)
        for term, places in self.by_value.items():
            values = candidate.choices.get(term, places.keys())
            found.update(place for value in values for place in places.get(value, ()))
        return sorted(found)


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
    fields = [each for each in dict.fromkeys(readable_fields(kind).values()) if each.name in names]
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
    for each in fields:
        value = example[each.name]
        if each.since is None:
            stored[each.name] = value
        elif isinstance(value, timedelta):
            stored[each.since] = _NOW - value
    return stored
