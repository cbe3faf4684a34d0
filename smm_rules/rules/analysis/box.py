"""A box: what several facts may be at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from smm_rules.rules.analysis.allowed import Allowed, meeting

#: More boxes than this, and nothing is said of a condition.
MOST_BOXES = 128


class TooManyBoxes(Exception):
    """A condition has too many ways to hold for anything to be said of it."""


@dataclass(frozen=True, slots=True)
class Box:
    """A conjunction: each term's allowed values, and the stored facts that are known or missing.

    A term is a fact by the name of `Field.name`, or the canonical text of something calculated.
    """

    allowed: Mapping[str, Allowed] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()

    def meeting(self, other: Box) -> Box | None:
        """Both at once, None where they contradict each other."""
        known, missing = self.known | other.known, self.missing | other.missing
        if known & missing:
            return None
        allowed = dict(self.allowed)
        for term, values in other.allowed.items():
            both = meeting(allowed[term], values) if term in allowed else values
            if both.empty:
                return None
            allowed[term] = both
        return Box(allowed, known, missing)


Boxes = tuple[Box, ...]
EVERYTHING: Boxes = (Box(),)
NOTHING: Boxes = ()


def both(first: Boxes, second: Boxes) -> Boxes:
    """The boxes in which both hold. Raises `TooManyBoxes`."""
    met = (one.meeting(other) for one in first for other in second)
    return bounded(tuple(box for box in met if box is not None))


def either(first: Boxes, second: Boxes) -> Boxes:
    """The boxes in which one of the two holds. Raises `TooManyBoxes`."""
    return bounded(first + second)


def bounded(boxes: Boxes) -> Boxes:
    """The boxes, if they aren't too many. Raises `TooManyBoxes`."""
    if len(boxes) > MOST_BOXES:
        raise TooManyBoxes
    return boxes
