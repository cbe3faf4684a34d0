"""A test of rules as read: what is given, what changes when, and what is expected to come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from smm_rules.document.problem import Position
from smm_rules.facts import Entity, EntityKind, Known
from smm_rules.rehearsal.restraints import Restraints
from smm_rules.rehearsal.scripted_panel import Answer
from smm_rules.rules.model import Rule, StepKind

#: Facts as a test states them, by bare name; None is a fact that is not known.
Stated = Mapping[str, Known | None]


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing of `given` or `change`, with what is stated of it.

    For an order: `service` is the ID of its service, `parameters` what it was placed with besides link and
    quantity, `rate` the price of 1000 then, `imported` says that the daemon didn't make it. For a refill:
    `order` is the ID of the order refilled.
    """

    entity: Entity
    facts: Stated
    service: str | None = None
    order: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    rate: Decimal | None = None
    imported: bool = False


@dataclass(frozen=True, slots=True)
class ExpectedStep:
    """A step that is to be taken. `details` are those that matter; a text may be `~ part` of what is told."""

    kind: StepKind
    position: Position
    details: Mapping[str, object] = field(default_factory=dict)
    outcome: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ExpectedFiring:
    """A rule that is to fire, with its steps (None: whatever they are), for a thing and on an occasion."""

    rule: str
    position: Position
    steps: tuple[ExpectedStep, ...] | None = None
    thing: tuple[EntityKind, str] | None = None
    occasion: str | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """What is to have come since the moment before, this one's instant included."""

    at: timedelta
    position: Position
    expected: tuple[ExpectedFiring, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Things that are otherwise from an instant on."""

    at: timedelta
    things: tuple[Thing, ...]


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One test. `every` is how often things are looked at, `rules` are those that run.

    `restraints` are the guards that the test states itself, None where it states none.
    """

    name: str
    position: Position
    rules: tuple[Rule, ...]
    given: tuple[Thing, ...]
    moments: tuple[Moment, ...]
    changes: tuple[Change, ...] = ()
    answers: Mapping[StepKind, tuple[Answer, ...]] = field(default_factory=dict)
    every: timedelta = timedelta(minutes=5)
    restraints: Restraints | None = None

    @property
    def file(self) -> Path:
        """The file it is written in."""
        return self.position.file
