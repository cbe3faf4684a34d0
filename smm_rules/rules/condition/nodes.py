"""A condition's typed tree. Every node keeps its own text and where that starts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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


def children(node: Node) -> tuple[Node, ...]:
    """The parts a node is made of, in order."""
    match node:
        case Negative(operand=operand) | Opposite(operand=operand):
            return (operand,)
        case Arithmetic(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments
        case Comparison(operands=operands):
            return operands
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return parts
    return ()
