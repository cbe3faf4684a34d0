"""Conditions that can't be true, that are always true, and parts of them that change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from smm_rules.document.problem import Position, Problem, Severity
from smm_rules.rules.analysis.box import Boxes, TooManyBoxes, both
from smm_rules.rules.analysis.normal import ways
from smm_rules.rules.analysis.reading import Reading, always, can_be_worked_out
from smm_rules.rules.analysis.world import possible
from smm_rules.rules.condition.nodes import AnyOf, IsKnown, Node, every_part
from smm_rules.rules.condition.trace import fields_of
from smm_rules.rules.expression import Clause

_LEAVE_OUT = "Leave it out, or mend it"
#: How a warning about the whole of `when` or `until` ends.
_NEVER = {
    "when": "so the rule never fires",
    "until": "so what the rule began is never over",
}


def warning(position: Position, message: str, suggestion: str = "") -> Problem:
    """A problem that stops nothing."""
    return Problem(position, message, suggestion, Severity.WARNING)


def condition_warnings(reading: Reading, key: str) -> list[Problem]:
    """What is odd about the condition at `key` (`when` or `until`) of a rule."""
    kind = reading.kind
    if reading.never():
        return [_never_true(reading, key)]
    if key == "when" and all(map(reading.kept.always, reading.clauses)):
        message = f"The condition is true for every {kind}, so the rule fires for each"
        return [warning(reading.clauses[0].position, message, "Say which ones are meant")]
    found = list(_idle_clauses(reading))
    for clause in reading.clauses:
        for part in _alternatives(clause.node):
            found += _idle_alternatives(reading, clause, part)
    return found


def follows(node: Node, given: Boxes) -> bool:
    """Whether it is certain that a part is true, neither false nor unknown, in each of the `given` ways.

    By the writing alone: `not reachable and failures >= 3` is no slip, though the one follows from the other.
    """
    needed = _needed(node)
    if not can_be_worked_out(node) or not all(needed <= box.known for box in given):
        return False
    with suppress(TooManyBoxes):
        return not both(given, ways(node, False))
    return False


def _needed(node: Node) -> frozenset[str]:
    return frozenset(field.since or field.name for field in fields_of(node))


def _never_true(reading: Reading, key: str) -> Problem:
    """The warning at the first clause, or the first two clauses, that make it so."""
    clauses = reading.clauses
    for index, clause in enumerate(clauses):
        if reading.never([clause]):
            return warning(clause.position, f"`{clause.source}` can never be true, {_NEVER[key]}")
        for earlier in clauses[:index]:
            if reading.never([earlier, clause]):
                return _contradiction(earlier, clause, key)
    message = f"These conditions can't all be true at the same time, {_NEVER[key]}"
    return warning(clauses[0].position, message)


def _contradiction(earlier: Clause, clause: Clause, key: str) -> Problem:
    message = f"`{clause.source}` and `{earlier.source}` can't both be true, {_NEVER[key]}"
    fields = {field.name for part in (earlier, clause) for field in fields_of(part.node)}
    suggestion = "Join them by `or`, if either of them is meant" if len(fields) == 1 else ""
    return warning(clause.position, message, suggestion)


def _idle_clauses(reading: Reading) -> Iterator[Problem]:
    """Clauses that the others say already; of two that say the same, the later one."""
    kept = list(reading.clauses)
    for clause in reversed(reading.clauses):
        # `known(x) and x > 5` is how people write that they thought of it.
        if isinstance(clause.node, IsKnown):
            continue
        others = [other for other in kept if other is not clause]
        if reading.kept.always(clause):
            message = f"`{clause.source}` is true for every {reading.kind} of which it is known"
            yield warning(clause.position, message, _LEAVE_OUT)
            kept = others
        elif others and _implied(reading, clause, others):
            message = f"`{clause.source}` changes nothing: {_those(reading, clause, others)}"
            yield warning(clause.position, message, _LEAVE_OUT)
            kept = others


def _implied(reading: Reading, clause: Clause, others: Sequence[Clause]) -> bool:
    if not reading.kept.reads(clause) <= frozenset().union(*map(reading.kept.reads, others)):
        return False  # mostly, and told without working out any ways
    with suppress(TooManyBoxes):
        return follows(clause.node, reading.written(others))
    return False


def _those(reading: Reading, clause: Clause, others: Sequence[Clause]) -> str:
    """Which of the other clauses say it already."""
    for other in others:
        if _implied(reading, clause, [other]):
            return f"`{other.source}` says it already"
    return "the rest of the condition says it already"


def _alternatives(node: Node) -> Iterator[AnyOf]:
    return (part for part in every_part(node) if isinstance(part, AnyOf))


def _idle_alternatives(reading: Reading, clause: Clause, either: AnyOf) -> Iterator[Problem]:
    """Ways of an `or` that are never taken, or that another way covers."""
    kept = list(either.parts)
    beside = [other for other in reading.clauses if other is not clause] if either is clause.node else []
    for part in reversed(either.parts):
        rest = [other for other in kept if other is not part]
        if _never_taken(reading, part, beside):
            message = f"`{part.text}` can never be true here, so this way of the `or` is never taken"
            yield warning(clause.place_of(part), message, _LEAVE_OUT)
            kept = rest
        elif covering := _covering(part, rest):
            message = f"`{part.text}` changes nothing: `{covering.text}` is true then in any case"
            yield warning(clause.place_of(part), message, _LEAVE_OUT)
            kept = rest


def _never_taken(reading: Reading, part: Node, beside: Sequence[Clause]) -> bool:
    with suppress(TooManyBoxes):
        return not possible(both(ways(part, True), reading.written(beside)), reading.kind)
    return False


def _covering(part: Node, others: Sequence[Node]) -> Node | None:
    with suppress(TooManyBoxes):
        given = ways(part, True)
        return next((other for other in others if follows(other, given)), None)
    return None


def until_warnings(when: Reading, until: Reading) -> list[Problem]:
    """What is odd about an `until` beside its `when`."""
    if until.never():
        return condition_warnings(until, "until")
    node = until.condition.node
    with suppress(TooManyBoxes):
        given = when.holding()
        if given and (follows(node, given) or always(node, until.kind)):
            message = "`until` is true already while `when` is, so it doesn't say when it is over"
            suggestion = "Write what is true only afterwards, like until: amount > 25 after when: amount < 20"
            return [warning(until.clauses[0].position, message, suggestion)]
    return condition_warnings(until, "until")
