"""Conditions: `status == "Partial" and remains > 0 and service.refill`, checked and compiled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from smm_rules.document.problem import Position
from smm_rules.facts import EntityKind, Value

#: Where the character at an offset of a condition's text stands in its file.
Locate = Callable[[int], Position]


@dataclass(frozen=True, slots=True)
class SourceText:
    """A condition as written, and where. `at` is its first character.

    `locate` gives the place of every other character where lines or escapes of the file make that more
    than counting along the line, as in block scalars.
    """

    source: str
    at: Position
    locate: Locate | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """How one part of a condition came out. `truth` is None for unknown and for parts that aren't boolean.

    `facts` are the facts read by this part, by name; `parts` what it is made of, in order.
    """

    source: str
    value: Value
    truth: bool | None
    facts: Mapping[str, Value]
    parts: tuple[Trace, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """One of the parts that a condition joins by `and`, with its own place."""

    source: str
    position: Position
    names: frozenset[str]
    holds: Callable[[Mapping[str, Value], datetime], bool | None]


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """A checked condition.

    `names` are the facts it reads, by the names of `Field.name` (`age`, `service.refill`); `stored_names`
    the ones it needs in a snapshot (`placed_at` for `age`). `canonical` is its meaning as text,
    independent of layout and spelling, made for hashing.
    """

    source: str
    clauses: tuple[Clause, ...]
    names: frozenset[str]
    stored_names: frozenset[str]
    canonical: str

    def holds(self, facts: Mapping[str, Value], now: datetime) -> bool | None:
        """True, False, or None when a fact it needs is unknown. A fact without a key counts as unknown."""
        raise NotImplementedError

    def trace(self, facts: Mapping[str, Value], now: datetime) -> Trace:
        """How every part came out, for explaining why a rule did or didn't fire."""
        raise NotImplementedError


def compile_condition(
    source: str, kind: EntityKind, at: Position, locate: Locate | None = None
) -> CompiledCondition:
    """The condition written in `source` for a rule watching `kind`.

    Raises `DocumentError` with every problem found, each at its own line and column.
    """
    return compile_conditions((SourceText(source, at, locate),), kind)


def compile_conditions(sources: Sequence[SourceText], kind: EntityKind) -> CompiledCondition:
    """One condition that holds when all of `sources` hold; problems of all of them in one `DocumentError`."""
    raise NotImplementedError
