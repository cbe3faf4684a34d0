"""One condition read for oddities: the ways in which it and its clauses can hold, each worked out once."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce

from smm_rules.facts import EntityKind
from smm_rules.rules.analysis.box import EVERYTHING, Boxes, TooManyBoxes, both
from smm_rules.rules.analysis.normal import is_constant, ways
from smm_rules.rules.analysis.world import possible
from smm_rules.rules.condition.nodes import Arithmetic, Comparison, Node, every_part
from smm_rules.rules.expression import Clause, CompiledCondition


def always(node: Node, kind: EntityKind) -> bool:
    """Whether it is certain that a part is true whenever the facts it reads are known."""
    with suppress(TooManyBoxes):
        return can_be_worked_out(node) and not possible(ways(node, False), kind)
    return False


def can_be_worked_out(node: Node) -> bool:
    """Whether a part has a value whenever its facts are known: it doesn't divide or need a currency."""
    for part in every_part(node):
        if isinstance(part, Arithmetic) and not is_constant(part):
            return False
        if isinstance(part, Comparison) and part.currency_facts:
            return False
    return True


@dataclass(slots=True)
class Kept:
    """What is known of single clauses, kept while rules are loaded: they repeat each other's clauses.

    Clauses about one `kind` of thing that are written the same mean the same.
    """

    kind: EntityKind
    _true: dict[str, Boxes] = field(default_factory=dict)
    _always: dict[str, bool] = field(default_factory=dict)
    _reads: dict[str, frozenset[str]] = field(default_factory=dict)

    def ways(self, clause: Clause) -> Boxes:
        """Every way for a clause to be true. Raises `TooManyBoxes`."""
        found = self._true.get(clause.source)
        if found is None:
            found = self._true[clause.source] = ways(clause.node, True)
        return found

    def always(self, clause: Clause) -> bool:
        """Whether it is certain that a clause is true whenever the facts it reads are known."""
        found = self._always.get(clause.source)
        if found is None:
            found = self._always[clause.source] = always(clause.node, self.kind)
        return found

    def reads(self, clause: Clause) -> frozenset[str]:
        """The stored facts that a clause reads."""
        found = self._reads.get(clause.source)
        if found is None:
            found = self._reads[clause.source] = clause.stored_names
        return found


@dataclass(slots=True)
class Reading:
    """The reading of a rule's `condition`, with what is `kept` of clauses about things of its kind."""

    condition: CompiledCondition
    kept: Kept
    _holding: Boxes | None = None

    @property
    def kind(self) -> EntityKind:
        """The kind of thing that the rule watches."""
        return self.kept.kind

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """What the condition joins by `and`."""
        return self.condition.clauses

    def written(self, clauses: Iterable[Clause]) -> Boxes:
        """Every way for some of the clauses to be true by their writing alone. Raises `TooManyBoxes`."""
        return reduce(both, map(self.kept.ways, clauses), EVERYTHING)

    def holding(self) -> Boxes:
        """Every way in which all of the condition can be true. Raises `TooManyBoxes`."""
        if self._holding is None:
            self._holding = possible(self.written(self.clauses), self.kind)
        return self._holding

    def never(self, clauses: Iterable[Clause] | None = None) -> bool:
        """Whether it is certain that the clauses, all of them unless some are given, can't all be true."""
        with suppress(TooManyBoxes):
            return not (self.holding() if clauses is None else possible(self.written(clauses), self.kind))
        return False
