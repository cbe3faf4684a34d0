"""One condition read for oddities: the ways in which it and its clauses can hold, each worked out once."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce

from smm_rules.facts import EntityKind
from smm_rules.rules.analysis.box import EVERYTHING, Boxes, TooManyBoxes, both
from smm_rules.rules.analysis.normal import ways
from smm_rules.rules.analysis.world import possible
from smm_rules.rules.expression import Clause, CompiledCondition


@dataclass(slots=True)
class Reading:
    """The reading of `condition`, a rule's that watches `kind`."""

    condition: CompiledCondition
    kind: EntityKind
    _ways: dict[int, Boxes] = field(default_factory=dict)
    _reads: dict[int, frozenset[str]] = field(default_factory=dict)
    _holding: Boxes | None = None

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """What the condition joins by `and`."""
        return self.condition.clauses

    def ways(self, clause: Clause) -> Boxes:
        """Every way for one of the clauses to be true. Raises `TooManyBoxes`."""
        found = self._ways.get(id(clause))
        if found is None:
            found = self._ways[id(clause)] = ways(clause.node, True)
        return found

    def reads(self, clause: Clause) -> frozenset[str]:
        """The stored facts that one of the clauses reads."""
        found = self._reads.get(id(clause))
        if found is None:
            found = self._reads[id(clause)] = clause.stored_names
        return found

    def written(self, clauses: Iterable[Clause]) -> Boxes:
        """Every way for some of the clauses to be true by their writing alone. Raises `TooManyBoxes`."""
        return reduce(both, map(self.ways, clauses), EVERYTHING)

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
