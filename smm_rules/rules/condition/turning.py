"""When time alone can turn a condition: the instants at which a running duration passes a written one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from smm_rules.rules.condition.nodes import Comparison, IsKnown, Literal, Node, Options, Read, children


@dataclass(frozen=True, slots=True)
class Turn:
    """The condition may turn `after` the instant in the stored fact `since`: 3d after placed_at."""

    since: str
    after: timedelta


def turns_of(node: Node) -> frozenset[Turn] | None:
    """Every turn of a condition; empty when only news can turn it.

    None when that can't be told from its text, as in `age * 2 > in_status`: it has to be tried.
    """
    found: set[Turn] = set()
    for comparison, operand in _running(node):
        if comparison is None or not isinstance(operand, Read) or operand.field.since is None:
            return None
        lengths = _lengths(comparison, operand)
        if lengths is None:
            return None
        found |= {Turn(operand.field.since, length) for length in lengths}
    return frozenset(found)


def _running(node: Node, comparison: Comparison | None = None) -> Iterator[tuple[Comparison | None, Node]]:
    """Every part with a running duration in it that stands in a comparison, or all alone."""
    for part in children(node):
        inside = node if isinstance(node, Comparison) else comparison
        if isinstance(part, IsKnown) or not _runs(part):
            continue
        if inside is node:
            yield inside, part
        else:
            yield from _running(part, inside)
    if isinstance(node, Read) and node.field.since is not None:
        yield comparison, node


def _runs(node: Node) -> bool:
    if isinstance(node, Read):
        return node.field.since is not None
    return any(_runs(part) for part in children(node))


def _lengths(comparison: Comparison, operand: Node) -> list[timedelta] | None:
    """What the operand is compared with, None where that isn't a written duration."""
    operands = comparison.operands
    lengths: list[timedelta] = []
    for index, each in enumerate(operands):
        if each is not operand:
            continue
        for neighbour in (*operands[max(index - 1, 0) : index], *operands[index + 1 : index + 2]):
            literals = neighbour.items if isinstance(neighbour, Options) else (neighbour,)
            for literal in literals:
                if not isinstance(literal, Literal) or not isinstance(literal.value, timedelta):
                    return None
                lengths.append(literal.value)
    return lengths
