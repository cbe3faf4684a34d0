"""How every part of a condition came out, for explaining why a rule did or didn't fire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from smm_rules.facts import UNKNOWN, FactType, Field, Value
from smm_rules.rules.condition.kleene import evaluate, read
from smm_rules.rules.condition.nodes import (
    Comparison,
    IsKnown,
    Literal,
    Node,
    Options,
    Read,
    children,
    every_part,
)


@dataclass(frozen=True, slots=True)
class Trace:
    """How one part of a condition came out. `truth` is None for unknown and for parts that aren't boolean.

    `facts` are the facts read by this part, by name, and `parts` what it is made of, in order; values that
    are written down in the condition are not among them.
    """

    source: str
    value: Value
    truth: bool | None
    facts: Mapping[str, Value]
    parts: tuple[Trace, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The facts this part needs that are not known."""
        return tuple(name for name, value in self.facts.items() if value is UNKNOWN)


def trace(node: Node, facts: Mapping[str, Value], now: datetime) -> Trace:
    """The trace of one part and all it is made of."""
    value = evaluate(node, facts, now)
    boolean = node.type is FactType.BOOLEAN and value is not UNKNOWN
    parts = tuple(
        trace(part, facts, now) for part in children(node) if not isinstance(part, Literal | Options)
    )
    values = {field.name: read(field, facts, now) for field in fields_of(node)}
    values |= {name: facts.get(name, UNKNOWN) for name in currency_facts_of(node)}
    return Trace(node.text, value, bool(value) if boolean else None, values, parts)


def fields_of(node: Node) -> Iterator[Field]:
    """Every field a part reads, in order of appearance, some more than once."""
    return (part.field for part in every_part(node) if isinstance(part, Read | IsKnown))


def currency_facts_of(node: Node) -> Iterator[str]:
    """The currency facts that decide whether a part's money can be compared."""
    return (fact for part in every_part(node) if isinstance(part, Comparison) for fact in part.currency_facts)
