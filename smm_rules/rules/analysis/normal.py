"""A condition as boxes: every way in which it can be true, or in which it can be false."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import reduce

from smm_rules.facts import UNKNOWN, FactType, Value
from smm_rules.rules.analysis.allowed import Allowed, Choice, none_of, one_of, related
from smm_rules.rules.analysis.box import EVERYTHING, NOTHING, Box, Boxes, both, either
from smm_rules.rules.condition.canonical import canonical
from smm_rules.rules.condition.functions import ORDERED
from smm_rules.rules.condition.kleene import evaluate
from smm_rules.rules.condition.nodes import (
    MIRRORED,
    OPPOSITE,
    AllOf,
    AnyOf,
    Comparison,
    IsKnown,
    Literal,
    Node,
    Opposite,
    Options,
    Read,
    Relation,
    children,
)

_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
#: How a first value may stand to a second one for the relation to hold.
_SIGNS = {
    Relation.EQUAL: "=",
    Relation.UNEQUAL: "<>",
    Relation.LESS: "<",
    Relation.AT_MOST: "<=",
    Relation.GREATER: ">",
    Relation.AT_LEAST: ">=",
}
#: Parts that can come to a value though a fact in them is unknown.
_LOGIC = (AllOf, AnyOf, Opposite, IsKnown, Comparison)


def ways(node: Node, outcome: bool) -> Boxes:
    """Every way for a boolean part to come out as `outcome`, unknown being neither.

    The boxes cover at least all of them: where there is none, there is no way. Raises `TooManyBoxes`.
    """
    if not isinstance(node, IsKnown) and is_constant(node):
        return EVERYTHING if constant(node) is outcome else NOTHING
    match node:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            outcomes = [ways(part, outcome) for part in parts]
            return _all(outcomes) if isinstance(node, AllOf) is outcome else _any(outcomes)
        case Opposite(operand=operand):
            return ways(operand, not outcome)
        case Comparison():
            return _comparison(node, outcome)
        case IsKnown(field=field):
            stored = frozenset({field.since or field.name})
            return (Box(known=stored),) if outcome else (Box(missing=stored),)
    return _term(node, one_of(outcome))


def is_constant(node: Node) -> bool:
    """Whether a part reads no fact at all."""
    match node:
        case Read() | IsKnown():
            return False
        case Literal() | Options():
            return True
    return all(map(is_constant, children(node)))


def constant(node: Node) -> Value:
    """The value of a part that reads no fact."""
    return evaluate(node, {}, _NO_TIME)


def _all(outcomes: list[Boxes]) -> Boxes:
    return reduce(both, outcomes, EVERYTHING)


def _any(outcomes: list[Boxes]) -> Boxes:
    return reduce(either, outcomes, NOTHING)


def _comparison(node: Comparison, outcome: bool) -> Boxes:
    pairs = zip(node.relations, node.operands, node.operands[1:], strict=False)
    outcomes = [
        _pair(relation if outcome else OPPOSITE[relation], left, right) for relation, left, right in pairs
    ]
    found = _all(outcomes) if outcome else _any(outcomes)
    if not node.currency_facts:
        return found
    # In another currency the comparison is unknown, so either outcome needs this one.
    currencies: dict[str, Allowed] = dict.fromkeys(node.currency_facts, one_of(node.currency))
    return both(found, (Box(currencies, frozenset(node.currency_facts)),))


def _pair(relation: Relation, left: Node, right: Node) -> Boxes:
    if isinstance(right, Options):
        return _membership(relation, left, right)
    if is_constant(left) and not is_constant(right):
        return _pair(MIRRORED[relation], right, left)
    if is_constant(left):
        # A comparison of a chain between two values that are written down.
        first, second = constant(left), constant(right)
        known = first is not UNKNOWN and second is not UNKNOWN
        return EVERYTHING if known and _allowed(left, relation, second).holds(first) else NOTHING
    if is_constant(right):
        value = constant(right)
        return NOTHING if value is UNKNOWN else _term(left, _allowed(left, relation, value))
    return _two_terms(relation, left, right)


def _allowed(node: Node, relation: Relation, value: object) -> Allowed:
    if node.type in ORDERED:
        return related(relation, value)
    return one_of(value) if relation is Relation.EQUAL else none_of(value)


def _membership(relation: Relation, left: Node, options: Options) -> Boxes:
    values = [item.value for item in options.items]
    if is_constant(left):
        found = constant(left) in values
        return EVERYTHING if found is (relation is Relation.IN) else NOTHING
    if left.type in ORDERED:
        singles = [
            _term(left, related(Relation.EQUAL if relation is Relation.IN else Relation.UNEQUAL, value))
            for value in values
        ]
        return _any(singles) if relation is Relation.IN else _all(singles)
    return _term(left, Choice(frozenset(values), without=relation is Relation.NOT_IN))


def _two_terms(relation: Relation, left: Node, right: Node) -> Boxes:
    """Two facts held against each other: what is kept is how they stand to each other."""
    first, second = name_of(left), name_of(right)
    needed = frozenset(needs(left)) | frozenset(needs(right))
    if first == second:
        return (Box(known=needed),) if "=" in _SIGNS[relation] else NOTHING
    if first > second:
        first, second, relation = second, first, MIRRORED[relation]
    signs = Choice(frozenset(_SIGNS[relation]))
    return (Box({f"{first} ? {second}": signs}, needed),)


def _term(node: Node, allowed: Allowed) -> Boxes:
    if node.type is FactType.BOOLEAN and isinstance(allowed, Choice) and allowed.without:
        allowed = Choice(frozenset({True, False}) - allowed.values)
    return NOTHING if allowed.empty else (Box({name_of(node): allowed}, frozenset(needs(node))),)


def name_of(node: Node) -> str:
    """What a term is called in a box."""
    return node.field.name if isinstance(node, Read) else canonical(node)


def needs(node: Node) -> Iterator[str]:
    """The stored facts without which a part has no value."""
    if isinstance(node, Read):
        yield node.field.since or node.field.name
    if not isinstance(node, _LOGIC):
        for part in children(node):
            yield from needs(part)
