"""Inhibitions by which alerts could come to keep each other back, so that nobody was told of any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Inhibition:
    """What keeps back what: patterns by label. `equal` are the labels in which the two must agree."""

    source: Mapping[str, str]
    target: Mapping[str, str]
    equal: frozenset[str]


def circular(inhibitions: Sequence[Inhibition]) -> frozenset[int]:
    """The numbers of those that lie on a way, over others, from an alert back to itself.

    It is enough that there could be such alerts. A way over one inhibition alone is none: of two alerts that
    are both on both of its sides neither keeps the other back.
    """
    numbers = range(len(inhibitions))
    leads = {
        one: [other for other in numbers if other != one and _leads_to(inhibitions[one], inhibitions[other])]
        for one in numbers
    }
    return frozenset(number for number in numbers if number in _reached(leads, number))


def _reached(leads: Mapping[int, Sequence[int]], start: int) -> frozenset[int]:
    """What can be come to from `start`, itself only on a way back."""
    reached: set[int] = set()
    further = list(leads[start])
    while further:
        number = further.pop()
        if number not in reached:
            reached.add(number)
            further += leads[number]
    return frozenset(reached)


def _leads_to(one: Inhibition, other: Inhibition) -> bool:
    """Whether an alert that `one` keeps back may be one by which `other` keeps others back."""
    for label in one.target.keys() | other.source.keys() | one.equal:
        patterns = [one.target.get(label), other.source.get(label)]
        if label in one.equal:
            patterns.append(one.source.get(label))
        given = [pattern for pattern in patterns if pattern is not None]
        if any(not overlap(first, second) for first in given for second in given):
            return False
    return True


@cache
def overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns, in which `*` is any text and `?` any character.

    A set of characters like `[ab]` counts as any character.
    """
    return _overlap(_pieces(one), _pieces(other))


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if not one or not other:
        return all(piece == _TEXT for piece in one + other)
    if one[0] == _TEXT:
        return _overlap(one[1:], other) or _overlap(one, other[1:])
    if other[0] == _TEXT:
        return _overlap(one, other[1:]) or _overlap(one[1:], other)
    same = one[0] == other[0] or _CHARACTER in (one[0], other[0])
    return same and _overlap(one[1:], other[1:])


_TEXT, _CHARACTER = "*", "?"


def _pieces(pattern: str) -> tuple[str, ...]:
    """Any text, any character, or one character each."""
    pieces: list[str] = []
    place = 0
    while place < len(pattern):
        end = pattern.find("]", place + 2) if pattern[place] == "[" else -1
        if end > 0:
            pieces.append(_CHARACTER)
            place = end
        elif not (pattern[place] == _TEXT and pieces[-1:] == [_TEXT]):
            pieces.append(pattern[place])
        place += 1
    return tuple(pieces)
