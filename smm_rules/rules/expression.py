"""Conditions: `status == "Partial" and remains > 0 and service.refill`, checked and compiled once.

The language is a typed subset of Python's expressions. An unknown fact makes a comparison unknown, and
`and`, `or` and `not` follow three-valued logic: a condition that needs a missing fact never holds, also
under `not`. So does one that can't be worked out, such as a division by zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from smm_rules.document.problem import DocumentError, Position, Problem
from smm_rules.facts import EntityKind, FactType, Value
from smm_rules.rules.condition.canonical import canonical
from smm_rules.rules.condition.checking import Checker
from smm_rules.rules.condition.complaint import Complaint
from smm_rules.rules.condition.functions import FUNCTIONS, Function, Parameter
from smm_rules.rules.condition.generating import Holds, generate
from smm_rules.rules.condition.grammar import parse, sentence_complaints
from smm_rules.rules.condition.nodes import AllOf, AnyOf, Node
from smm_rules.rules.condition.tokens import MOST_COMPLAINTS, scan
from smm_rules.rules.condition.trace import Trace, currency_facts_of, fields_of, trace
from smm_rules.rules.condition.turning import Turn, turns_of

__all__ = [
    "FUNCTIONS",
    "Clause",
    "CompiledCondition",
    "Function",
    "Locate",
    "Parameter",
    "SourceText",
    "Trace",
    "Turn",
    "compile_condition",
    "compile_conditions",
]

#: Where the character at an offset (from 0) of a condition's text stands in its file.
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

    def position(self, offset: int) -> Position:
        """Where the character at `offset` stands."""
        if self.locate is not None:
            return self.locate(offset)
        before = self.source[:offset]
        lines = before.count("\n")
        column = len(before) - before.rfind("\n") if lines else self.at.column + offset
        return Position(self.at.file, self.at.line + lines, column)


class _Generated:
    """What `holds` is made from is there at once, the function when it is first asked for.

    Most conditions are loaded to be checked, or wait for a thing to look at: none of these needs it.
    """

    __slots__ = ()

    if not TYPE_CHECKING:  # so that a misspelt attribute is still an error

        def __getattr__(self, name: str) -> Holds:
            """Only reached while the slot is empty: once it is filled, `holds` costs nothing more."""
            if name != "holds":
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            holds = generate(self._node)
            object.__setattr__(self, name, holds)
            return holds


@dataclass(frozen=True, slots=True)
class Clause(_Generated):
    """One of the parts that a condition joins by `and`, with its own place and its own `holds`."""

    holds: Holds = field(init=False, repr=False, compare=False)
    _node: Node
    _text: SourceText = field(repr=False, compare=False)

    @property
    def source(self) -> str:
        """The clause as written."""
        return self._node.text

    @property
    def position(self) -> Position:
        """Where the clause begins in its file."""
        return self.place_of(self._node)

    @property
    def names(self) -> frozenset[str]:
        """The facts the clause reads, by the names of `Field.name`."""
        return _names(self._node)[0]

    @property
    def stored_names(self) -> frozenset[str]:
        """The facts it needs in a snapshot, by the names they are stored under."""
        return _names(self._node)[1]

    @property
    def node(self) -> Node:
        """The clause's typed tree."""
        return self._node

    def place_of(self, part: Node) -> Position:
        """Where a part of the clause stands in its file."""
        return self._text.position(part.start)

    def trace(self, facts: Mapping[str, Value], now: datetime) -> Trace:
        """How every part of the clause came out."""
        return trace(self._node, facts, now)


@dataclass(frozen=True, slots=True)
class CompiledCondition(_Generated):
    """A checked condition.

    `names` are the facts it reads, by the names of `Field.name` (`age`, `service.refill`); `stored_names`
    the ones it needs in a snapshot (`placed_at` for `age`). `canonical` is its meaning as text,
    independent of layout and spelling, made for hashing.

    `holds(facts, now)` is True, False, or None when a fact it needs is unknown; a fact without a key counts
    as unknown. It is the generated function itself, for a method around it would cost as much again.
    """

    source: str
    clauses: tuple[Clause, ...]
    names: frozenset[str]
    stored_names: frozenset[str]
    canonical: str
    holds: Holds = field(init=False, repr=False, compare=False)
    _node: Node = field(repr=False, compare=False)

    @property
    def node(self) -> Node:
        """The whole typed tree."""
        return self._node

    def trace(self, facts: Mapping[str, Value], now: datetime) -> Trace:
        """How every part came out, for explaining why a rule did or didn't fire."""
        return trace(self._node, facts, now)

    def turns(self) -> frozenset[Turn] | None:
        """When time alone may turn it; empty when only news can, None when that can't be told."""
        return turns_of(self._node)


def compile_condition(
    source: str, kind: EntityKind, at: Position, locate: Locate | None = None
) -> CompiledCondition:
    """The condition written in `source` for a rule watching `kind`.

    Raises `DocumentError` with every problem found, each at its own line and column.
    """
    return compile_conditions((SourceText(source, at, locate),), kind)


def compile_conditions(sources: Sequence[SourceText], kind: EntityKind) -> CompiledCondition:
    """One condition that holds when all of `sources` (at least one) hold.

    Raises `DocumentError` with every problem of every one of them.
    """
    if not sources:
        raise ValueError("a condition needs at least one source")
    trees: list[tuple[Node, SourceText]] = []
    problems: list[Problem] = []
    for text in sources:
        checked = _checked(text.source, kind)
        if isinstance(checked, Node):
            trees.append((checked, text))
        else:
            problems += _problems(checked, text)
    if problems:
        raise DocumentError(problems)
    return _compiled(trees)


def _checked(source: str, kind: EntityKind) -> Node | list[Complaint]:
    """The typed tree of a text, or everything that is wrong with it."""
    scanned = scan(source)
    complaints = list(scanned.complaints)
    checker = Checker(kind)
    grammar = sentence_complaints(scanned.tokens) if scanned.readable else []
    if grammar or not scanned.readable:
        checker.names(scanned.tokens)
        taken = {complaint.offset for complaint in grammar}
        return complaints + grammar + [each for each in checker.complaints if each.offset not in taken]
    parsed = parse(source, scanned.tokens)
    if isinstance(parsed, Complaint):
        return [*complaints, parsed]
    node = checker.condition(parsed)
    complaints += checker.complaints
    return complaints if complaints or node is None else node


def _problems(complaints: list[Complaint], text: SourceText) -> list[Problem]:
    inside = max(len(text.source) - 1, 0)
    in_order = sorted(set(complaints))[:MOST_COMPLAINTS]
    return [
        Problem(
            text.position(min(complaint.offset, inside)), _sentence(complaint.message), complaint.suggestion
        )
        for complaint in in_order
    ]


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]


def _compiled(trees: list[tuple[Node, SourceText]]) -> CompiledCondition:
    parts = [(part, text) for tree, text in trees for part in _conjuncts(tree)]
    source = " and ".join(_as_conjunct(tree, text, alone=len(trees) == 1) for tree, text in trees)
    whole = parts[0][0]
    if len(parts) > 1:
        whole = AllOf(FactType.BOOLEAN, source, 0, tuple(part for part, _ in parts))
    names, stored_names = _names(whole)
    return CompiledCondition(
        source=source,
        clauses=tuple(Clause(part, text) for part, text in parts),
        names=names,
        stored_names=stored_names,
        canonical=canonical(whole),
        _node=whole,
    )


def _conjuncts(node: Node) -> tuple[Node, ...]:
    if isinstance(node, AllOf):
        return tuple(part for child in node.parts for part in _conjuncts(child))
    return (node,)


def _as_conjunct(node: Node, text: SourceText, *, alone: bool) -> str:
    source = text.source.strip()
    return f"({source})" if isinstance(node, AnyOf) and not alone else source


def _names(node: Node) -> tuple[frozenset[str], frozenset[str]]:
    """The facts a part reads, by their own names and by those they are stored under."""
    fields, currencies = tuple(fields_of(node)), tuple(currency_facts_of(node))
    names = frozenset((*(field.name for field in fields), *currencies))
    return names, frozenset((*(field.since or field.name for field in fields), *currencies))
