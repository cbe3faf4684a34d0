"""Three-valued evaluation: what a condition comes to when facts are missing.

It defines what a condition means. Compiled conditions do the same faster and come here only when a fact
has no key at all or a number can't be worked out.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from smm_rules.facts import UNKNOWN, Field, Value
from smm_rules.rules.condition.nodes import (
    AllOf,
    AnyOf,
    Arithmetic,
    Call,
    Comparison,
    IsKnown,
    Literal,
    Negative,
    Node,
    Opposite,
    Options,
    Read,
    Relation,
)
from smm_rules.rules.condition.operations import FUNCTION_OPERATIONS, arithmetic, negative

_COMPARE: dict[Relation, Callable[[Any, Any], bool]] = {
    Relation.EQUAL: operator.eq,
    Relation.UNEQUAL: operator.ne,
    Relation.LESS: operator.lt,
    Relation.AT_MOST: operator.le,
    Relation.GREATER: operator.gt,
    Relation.AT_LEAST: operator.ge,
}


def truth(node: Node, facts: Mapping[str, Value], now: datetime) -> bool | None:
    """Whether a boolean part holds, None for unknown."""
    value = evaluate(node, facts, now)
    return None if value is UNKNOWN else bool(value)


def evaluate(node: Node, facts: Mapping[str, Value], now: datetime) -> Value:
    """The value of a part, UNKNOWN where it needs a fact that is not known."""
    match node:
        case Comparison():
            return _comparison(node, facts, now)
        case AllOf(parts=parts):
            return all_of(evaluate(part, facts, now) for part in parts)
        case AnyOf(parts=parts):
            return any_of(evaluate(part, facts, now) for part in parts)
        case Opposite(operand=operand):
            value = evaluate(operand, facts, now)
            return UNKNOWN if value is UNKNOWN else not value
        case Read(field=field):
            return read(field, facts, now)
        case IsKnown(field=field):
            return read(field, facts, now) is not UNKNOWN
        case Literal(value=value):
            return value
    return _calculated(node, facts, now)


def read(field: Field, facts: Mapping[str, Value], now: datetime) -> Value:
    """A fact's value: a missing key and a number that isn't one count as unknown, a running duration runs."""
    value = facts.get(field.since or field.name, UNKNOWN)
    if isinstance(value, Decimal) and not value.is_finite():
        return UNKNOWN
    if field.since and isinstance(value, datetime):
        return now - value
    return value


def all_of(values: Iterable[Value]) -> Value:
    """False as soon as one is false, else unknown if one is unknown, else true."""
    result: Value = True
    for value in values:
        if value is UNKNOWN:
            result = UNKNOWN
        elif not value:
            return False
    return result


def any_of(values: Iterable[Value]) -> Value:
    """True as soon as one is true, else unknown if one is unknown, else false."""
    result: Value = False
    for value in values:
        if value is UNKNOWN:
            result = UNKNOWN
        elif value:
            return True
    return result


def _comparison(node: Comparison, facts: Mapping[str, Value], now: datetime) -> Value:
    for fact in node.currency_facts:
        currency = facts.get(fact, UNKNOWN)
        if currency is UNKNOWN or currency != node.currency:
            return UNKNOWN
    # Each once, though a chain compares most of them twice.
    values = [evaluate(operand, facts, now) for operand in node.operands if not isinstance(operand, Options)]
    last = node.operands[-1]
    if isinstance(last, Options):
        return _membership(node.relations[0], values[0], last)
    return all_of(map(_pair, node.relations, values, values[1:]))


def _membership(relation: Relation, value: Value, options: Options) -> Value:
    if value is UNKNOWN:
        return UNKNOWN
    found = any(value == item.value for item in options.items)
    return found is (relation is Relation.IN)


def _pair(relation: Relation, first: Value, second: Value) -> Value:
    return UNKNOWN if first is UNKNOWN or second is UNKNOWN else _COMPARE[relation](first, second)


def _calculated(node: Node, facts: Mapping[str, Value], now: datetime) -> Value:
    operands, operation = _work(node)
    values = [evaluate(operand, facts, now) for operand in operands]
    if any(value is UNKNOWN for value in values):
        return UNKNOWN
    try:
        return operation(*values)
    except ArithmeticError:
        return UNKNOWN


def _work(node: Node) -> tuple[tuple[Node, ...], Callable[..., Value]]:
    match node:
        case Arithmetic(left=left, right=right):
            return (left, right), arithmetic(node.operation, left.type, right.type)
        case Negative(operand=operand):
            return (operand,), negative
        case Call(function=function, arguments=arguments):
            return arguments, FUNCTION_OPERATIONS[function.name]
    raise TypeError(f"{type(node).__name__} has no value")
