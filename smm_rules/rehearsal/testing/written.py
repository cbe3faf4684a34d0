"""A test as it stands in its file: its values by the way to them, and the faults found in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from smm_rules.document import (
    Document,
    DocumentError,
    Plain,
    Position,
    Problem,
    Trail,
    did_you_mean,
    validate,
)
from smm_rules.document.types import Settings
from smm_rules.rules.model import Rule

_Model = TypeVar("_Model", bound=Settings)


@dataclass(slots=True)
class Reading:
    """One test's document, the way to it, and the faults found so far."""

    document: Document
    trail: Trail
    rules: Mapping[str, Rule]
    problems: list[Problem] = field(default_factory=list)

    def at(self, trail: Trail) -> Plain:
        """The value at `trail` below the test."""
        return self.document.at((*self.trail, *trail))

    def holds(self, trail: Trail) -> bool:
        """Whether there is a value at `trail` below the test."""
        return self.document.holds((*self.trail, *trail))

    def key_position(self, trail: Trail) -> Position:
        """Where the last key of `trail` is written."""
        return self.document.key_position((*self.trail, *trail))

    def position(self, trail: Trail) -> Position:
        """Where the value at `trail` stands."""
        return self.document.position((*self.trail, *trail))

    def refuse(self, trail: Trail, message: str, suggestion: str = "", *, key: bool = False) -> None:
        """Note a fault of the value at `trail`, or of its `key`."""
        position = self.key_position(trail) if key else self.position(trail)
        self.problems.append(Problem(position, message, suggestion))

    def valid(self, model: type[_Model], trail: Trail) -> _Model | None:
        """The value at `trail` as a `model`; None with its faults noted."""
        try:
            return validate(self.document, model, (*self.trail, *trail))
        except DocumentError as error:
            self.problems.extend(error.problems)
            return None

    def items(self, trail: Trail) -> list[Trail]:
        """The ways to the entries at `trail`: one value is a list of one, nothing a list of none."""
        value = self.at(trail)
        if isinstance(value, list):
            return [(*trail, index) for index in range(len(value))]
        return [] if value is None else [trail]

    def refuse_rule(self, trail: Trail, name: str, *, key: bool = False) -> None:
        """Note that no rule of that name is tested here."""
        known = ", ".join(self.rules) or "none"
        suggestion = did_you_mean(name, self.rules) or f"Rules here: {known}"
        self.refuse(trail, f'There is no rule "{name}" here', suggestion, key=key)
