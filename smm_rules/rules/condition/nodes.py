"""A condition's typed tree. Every node keeps its own text and where that starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any

from smm_rules.facts import FactType, Field, Known
from smm_rules.rules.condition.functions import Function


class Operation(StrEnum):
    """What arithmetic does to its two values, by the types they have."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"


class Relation(StrEnum):
    """How a comparison compares."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    IN = "in"
    NOT_IN = "not in"


#: The relation that holds just where the other doesn't.
OPPOSITE: dict[Relation, Relation] = {
    Relation.EQUAL: Relation.UNEQUAL,
    Relation.UNEQUAL: Relation.EQUAL,
    Relation.LESS: Relation.AT_LEAST,
    Relation.AT_MOST: Relation.GREATER,
    Relation.GREATER: Relation.AT_MOST,
    Relation.AT_LEAST: Relation.LESS,
    Relation.IN: Relation.NOT_IN,
    Relation.NOT_IN: Relation.IN,
}
#: The relation of the second value to the first; a list has none.
MIRRORED: dict[Relation, Relation] = {
    Relation.EQUAL: Relation.EQUAL,
    Relation.UNEQUAL: Relation.UNEQUAL,
    Relation.LESS: Relation.GREATER,
    Relation.AT_MOST: Relation.AT_LEAST,
    Relation.GREATER: Relation.LESS,
    Relation.AT_LEAST: Relation.AT_MOST,
}


@dataclass(frozen=True, slots=True)
class Node:
    """What all parts have: their type, their text as written, and its offset in the source."""

    type: FactType
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A value written down. `currency` is empty for all but money."""

    value: Known
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Options(Node):
    """The list after `in`; its type is that of its items."""

    items: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Read(Node):
    """A fact's value."""

    field: Field


@dataclass(frozen=True, slots=True)
class IsKnown(Node):
    """Whether a fact is known."""

    field: Field


@dataclass(frozen=True, slots=True)
class Negative(Node):
    """A number, money or duration with its sign turned."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """Two values calculated with."""

    operation: Operation
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function of values."""

    function: Function
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """Two or more values compared, each with the next.

    Where the comparison names a currency, every fact of `currency_facts` must equal it, or the whole is
    unknown: 20 dollars can't be held against an amount in euros.
    """

    operands: tuple[Node, ...]
    relations: tuple[Relation, ...]
    currency: str = ""
    currency_facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opposite(Node):
    """`not`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class AllOf(Node):
    """`and`."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf(Node):
    """`or`."""

    parts: tuple[Node, ...]


_Parts = Callable[[Any], tuple[Node, ...]]
_PARTS: dict[type[Node], _Parts] = {
    Negative: lambda node: (node.operand,),
    Opposite: lambda node: (node.operand,),
    Arithmetic: lambda node: (node.left, node.right),
    Call: attrgetter("arguments"),
    Comparison: attrgetter("operands"),
    AllOf: attrgetter("parts"),
    AnyOf: attrgetter("parts"),
}


def children(node: Node) -> tuple[Node, ...]:
    """The parts a node is made of, in order."""
    parts = _PARTS.get(type(node))
    return () if parts is None else parts(node)


def every_part(node: Node) -> Iterator[Node]:
    """A node and all it is made of, in the order they are written."""
    waiting = [node]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += reversed(children(part))
