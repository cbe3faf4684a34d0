"""Conditions on what ended so long ago that nobody looks at it any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta

from smm_rules.document.problem import Problem
from smm_rules.facts import TERMINAL_ORDER_STATUSES, TERMINAL_REFILL_STATUSES, EntityKind, format_duration
from smm_rules.rules.analysis.allowed import Choice, Range
from smm_rules.rules.analysis.box import Box, TooManyBoxes
from smm_rules.rules.analysis.conditions import warning
from smm_rules.rules.analysis.reading import Reading
from smm_rules.rules.condition.trace import fields_of
from smm_rules.rules.expression import Clause

_ENDS: dict[EntityKind, frozenset[str]] = {
    EntityKind.ORDER: frozenset(TERMINAL_ORDER_STATUSES),
    EntityKind.REFILL: frozenset(TERMINAL_REFILL_STATUSES),
}
#: What has been running since a thing ended, or since after it.
_SINCE_THE_END = ("unchanged", "in_status")


def settled_warnings(when: Reading, settle_after: timedelta) -> Iterator[Problem]:
    """A warning where every way of the condition to hold is one that nobody is going to see."""
    kind = when.kind
    ends = _ENDS.get(kind)
    if ends is None:
        return
    with suppress(TooManyBoxes):
        ways = when.holding()
        if ways and all(_out_of_sight(box, ends, settle_after) for box in ways):
            article = "An" if kind is EntityKind.ORDER else "A"
            message = (
                f"{article} {kind} that has ended is looked at for {format_duration(settle_after)} and then "
                "no more, so nobody sees this"
            )
            suggestion = "Ask for less, hold it with `for:`, or raise `settle_after` in the configuration"
            yield warning(_waiting_clause(when.clauses).position, message, suggestion)


def _out_of_sight(box: Box, ends: frozenset[str], settle_after: timedelta) -> bool:
    status = box.allowed.get("status")
    ended = isinstance(status, Choice) and not status.without and status.values <= ends
    return ended and any(
        isinstance(time, Range) and time.low is not None and time.low > settle_after
        for time in (box.allowed.get(name) for name in _SINCE_THE_END)
    )


def _waiting_clause(clauses: Sequence[Clause]) -> Clause:
    reading = (
        clause for clause in clauses if any(field.name in _SINCE_THE_END for field in fields_of(clause.node))
    )
    return next(reading, clauses[0])
