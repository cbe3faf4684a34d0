"""Which parts of the rules the tests have tried: clauses both ways, and every step of every section."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from smm_rules.document import Position
from smm_rules.engine.episode import reminds
from smm_rules.rehearsal.happening import StepTaken, Swept
from smm_rules.rules.expression import Clause, CompiledCondition
from smm_rules.rules.model import Condition, Rule, Step

_BOTH = (True, False)


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that no test has tried, and where it stands."""

    position: Position
    message: str


@dataclass(frozen=True, slots=True)
class RuleCoverage:
    """How much of one rule has been tried."""

    rule: Rule
    covered: int
    total: int
    gaps: tuple[Gap, ...]

    @property
    def percent(self) -> float:
        return percent(self.covered, self.total)


def percent(covered: int, total: int) -> float:
    """A share in percent; nothing to cover is all covered."""
    return 100.0 * covered / total if total else 100.0


@dataclass(slots=True)
class Coverage:
    """Gathers what the tests try. `swept` is the audience of every stage."""

    _clauses: dict[tuple[str, str, int], set[bool]] = field(default_factory=dict)
    _steps: set[tuple[Position | None, str, str]] = field(default_factory=set)

    def swept(self, swept: Swept) -> None:
        """Note how every clause came out at every look of a sweep."""
        for rule in swept.rules:
            for section, index, clause in _clauses(rule):
                seen = self._clauses.setdefault(_key(rule, section, index), set())
                if len(seen) == len(_BOTH):
                    continue
                outcomes = (clause.holds(look.snapshot.facts, swept.at) for look in swept.looks)
                seen.update(truth for truth in outcomes if truth is not None)

    def taken(self, rules: Sequence[Rule], steps: Iterable[StepTaken]) -> None:
        """Note the steps that one test has taken."""
        positions = {rule.name: rule.position for rule in rules}
        self._steps |= {(positions.get(one.firing.rule), one.firing.rule, one.place) for one in steps}

    def of(self, rules: Iterable[Rule]) -> tuple[RuleCoverage, ...]:
        """The coverage of each rule, in order."""
        return tuple(self._of(rule) for rule in rules)

    def _of(self, rule: Rule) -> RuleCoverage:
        parts = [*self._clause_parts(rule), *self._section_parts(rule)]
        gaps = tuple(gap for gap in parts if gap is not None)
        return RuleCoverage(rule, len(parts) - len(gaps), len(parts), gaps)

    def _clause_parts(self, rule: Rule) -> Iterator[Gap | None]:
        for section, index, clause in _clauses(rule):
            seen = self._clauses.get(_key(rule, section, index), set())
            for truth in _BOTH:
                word = "true" if truth else "false"
                message = f"{section}: `{clause.source}` was never {word}"
                yield None if truth in seen else Gap(clause.position, message)

    def _section_parts(self, rule: Rule) -> Iterator[Gap | None]:
        for section, steps in _sections(rule):
            missing = [
                step.kind.value
                for index, step in enumerate(steps)
                if (rule.position, rule.name, f"{section}.{index}") not in self._steps
            ]
            never = ", ".join(missing) if len(missing) < len(steps) else "nothing of it"
            message = f"{section}: {never} was {'ever' if never == 'nothing of it' else 'never'} done"
            yield Gap(_place(rule), message) if missing else None


def _clauses(rule: Rule) -> Iterator[tuple[str, int, Clause]]:
    conditions: tuple[tuple[str, Condition | None], ...] = (("when", rule.when), ("until", rule.until))
    for section, condition in conditions:
        if isinstance(condition, CompiledCondition):
            for index, clause in enumerate(condition.clauses):
                yield section, index, clause


def _sections(rule: Rule) -> Iterator[tuple[str, Sequence[Step]]]:
    if rule.do:
        yield "do", rule.do
    if rule.otherwise:
        yield "otherwise", rule.otherwise
    if rule.done:
        yield "done", rule.done
    if reminds(rule):
        yield "remind", [step for step in rule.do if not step.acts]


def _key(rule: Rule, section: str, index: int) -> tuple[str, str, int]:
    return f"{rule.position}:{rule.name}", section, index


def _place(rule: Rule) -> Position:
    assert rule.position is not None, "a rule that was read from a file has a place"
    return rule.position
