"""A condition clause by clause: the value of each, the facts it read, what would make it true."""

from __future__ import annotations

from smm_rules.explanation.missing import readable, why_missing
from smm_rules.explanation.model import ClauseOutcome, FactRead, Standing
from smm_rules.explanation.unmet import unmet
from smm_rules.explanation.words import in_words
from smm_rules.facts import Unknown, Value
from smm_rules.rules.expression import Clause, CompiledCondition
from smm_rules.rules.model import Condition


def outcomes(condition: Condition | None, standing: Standing) -> tuple[ClauseOutcome, ...]:
    """Every clause of a condition on the facts of `standing`; none for no condition."""
    if not isinstance(condition, CompiledCondition):
        return ()
    return tuple(_outcome(clause, standing) for clause in condition.clauses)


def _outcome(clause: Clause, standing: Standing) -> ClauseOutcome:
    trace = clause.trace(standing.facts, standing.at)
    read = tuple(_fact(name, value, standing) for name, value in trace.facts.items())
    wanted = ""
    if trace.truth is False:
        wanted = unmet(clause.node, standing.facts, standing.at)
    elif trace.truth is None:
        wanted = _undecided(clause, read, standing)
    return ClauseOutcome(clause.source, clause.position, trace.truth, read, wanted)


def _fact(name: str, value: Value, standing: Standing) -> FactRead:
    return FactRead(name, value, why_missing(name, standing) if isinstance(value, Unknown) else "")


def _undecided(clause: Clause, read: tuple[FactRead, ...], standing: Standing) -> str:
    """Why a clause can't be decided: a missing fact, another currency, or a sum that has no result."""
    missing = [fact.name for fact in read if isinstance(fact.value, Unknown)]
    if missing:
        return "; ".join(readable(name, standing) for name in missing)
    currencies = [fact for fact in read if fact.name.rpartition(".")[2] == "currency"]
    if currencies:
        told = " and ".join(f"{fact.name} is {in_words(fact.value)}" for fact in currencies)
        return f"{clause.source} compares money of another currency: {told}"
    return f"{clause.source} has no result: it divides by zero"
