"""Which values one fact may have: a range of ordered values, or a choice of plain ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from smm_rules.rules.condition.nodes import Relation

#: A fact's value. Values of one fact are of one type, or int and Decimal, so they compare.
_Value = Any


@dataclass(frozen=True, slots=True)
class Range:
    """Ordered values between two ends (None: without end), less the `holes`."""

    low: _Value = None
    high: _Value = None
    low_open: bool = False
    high_open: bool = False
    holes: frozenset[_Value] = frozenset()

    @property
    def empty(self) -> bool:
        """Whether no value is left."""
        if self.low is None or self.high is None:
            return False
        if self.low == self.high:
            return self.low_open or self.high_open or self.low in self.holes
        return bool(self.low > self.high)

    def holds(self, value: _Value) -> bool:
        """Whether `value` is among the allowed ones."""
        if self.low is not None and (value < self.low or (self.low_open and value == self.low)):
            return False
        if self.high is not None and (value > self.high or (self.high_open and value == self.high)):
            return False
        return value not in self.holes

    def meeting(self, other: Range) -> Range:
        """The values that are in both."""
        low, low_open = _tighter(self.low, self.low_open, other.low, other.low_open, upper=False)
        high, high_open = _tighter(self.high, self.high_open, other.high, other.high_open, upper=True)
        return Range(low, high, low_open, high_open, self.holes | other.holes)


def _tighter(
    first: _Value, first_open: bool, second: _Value, second_open: bool, *, upper: bool
) -> tuple[_Value, bool]:
    if first is None or second is None:
        return (second, second_open) if first is None else (first, first_open)
    if first == second:
        return first, first_open or second_open
    return (first, first_open) if (first < second) is upper else (second, second_open)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `values`, or with `without` anything but them."""

    values: frozenset[_Value]
    without: bool = False

    @property
    def empty(self) -> bool:
        """Whether no value is left."""
        return not self.values and not self.without

    def holds(self, value: _Value) -> bool:
        """Whether `value` is among the allowed ones."""
        return (value in self.values) is not self.without

    def meeting(self, other: Choice) -> Choice:
        """The values that are in both."""
        if self.without and other.without:
            return Choice(self.values | other.values, without=True)
        if self.without:
            return Choice(other.values - self.values)
        return Choice(self.values - other.values if other.without else self.values & other.values)


Allowed = Range | Choice


def meeting(first: Allowed, second: Allowed) -> Allowed:
    """The values that are in both; they must be of one kind."""
    if isinstance(first, Range) and isinstance(second, Range):
        return first.meeting(second)
    if isinstance(first, Choice) and isinstance(second, Choice):
        return first.meeting(second)
    raise TypeError("a range and a choice have no values in common")


def one_of(*values: _Value) -> Choice:
    """Exactly these values."""
    return Choice(frozenset(values))


def none_of(*values: _Value) -> Choice:
    """Any value but these."""
    return Choice(frozenset(values), without=True)


def related(relation: Relation, value: _Value) -> Range:
    """The ordered values that stand in `relation` to `value`."""
    match relation:
        case Relation.LESS:
            return Range(high=value, high_open=True)
        case Relation.AT_MOST:
            return Range(high=value)
        case Relation.GREATER:
            return Range(low=value, low_open=True)
        case Relation.AT_LEAST:
            return Range(low=value)
        case Relation.EQUAL:
            return Range(value, value)
        case Relation.UNEQUAL:
            return Range(holes=frozenset({value}))
    raise ValueError(f"{relation} relates to no single value")
