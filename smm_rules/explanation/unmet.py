"""What would have to be different for a false part of a condition to hold, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from smm_rules.explanation.words import in_words, roughly
from smm_rules.facts import UNKNOWN, Value
from smm_rules.rules.condition.kleene import evaluate, truth
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

_WORDS: dict[Relation, str] = {
    Relation.EQUAL: "be {}",
    Relation.UNEQUAL: "not be {}",
    Relation.LESS: "be below {}",
    Relation.AT_MOST: "be {} at most",
    Relation.GREATER: "be above {}",
    Relation.AT_LEAST: "be {} at least",
    Relation.IN: "be {}",
    Relation.NOT_IN: "not be {}",
}


def unmet(node: Node, facts: Mapping[str, Value], now: datetime) -> str:
    """What must change for a part that is false to hold: `remains must be above 0: it is 0`.

    Empty for a part that isn't false.
    """
    if truth(node, facts, now) is not False:
        return ""
    return _wanted(node, facts, now, true=True)


def _wanted(node: Node, facts: Mapping[str, Value], now: datetime, *, true: bool) -> str:
    """What must change for `node` to be true, or false, which it isn't now."""
    match node:
        case Opposite(operand=operand):
            return _wanted(operand, facts, now, true=not true)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            every = isinstance(node, AllOf) is true
            wanted = [part for part in parts if truth(part, facts, now) is not true]
            return (" and " if every else ", or ").join(
                _wanted(part, facts, now, true=true) for part in wanted
            )
        case Comparison():
            return _compared(node, facts, now, true=true)
        case IsKnown(field=field):
            return f"{field.name} must {'' if true else 'not '}be known"
        case Read(field=field):
            return f"{field.name} must be {_flag(true)}: it is {in_words(evaluate(node, facts, now))}"
    return f"{node.text} must be {_flag(true)}{_inside(node, facts, now)}"


def _compared(node: Comparison, facts: Mapping[str, Value], now: datetime, *, true: bool) -> str:
    links = list(_links(node))
    if true:
        links = [link for link in links if not _link_holds(link, node, facts, now)]
    # A chain is false as soon as one of its links is.
    return (" and " if true else ", or ").join(_link(*link, facts, now, true=true) for link in links)


def _links(node: Comparison) -> Iterator[tuple[Node, Relation, Node]]:
    for relation, left, right in zip(node.relations, node.operands, node.operands[1:], strict=False):
        yield left, relation, right


def _link_holds(
    link: tuple[Node, Relation, Node], node: Comparison, facts: Mapping[str, Value], now: datetime
) -> bool:
    left, relation, right = link
    single = Comparison(
        node.type, node.text, node.start, (left, right), (relation,), node.currency, node.currency_facts
    )
    return truth(single, facts, now) is True


def _link(
    left: Node, relation: Relation, right: Node, facts: Mapping[str, Value], now: datetime, *, true: bool
) -> str:
    if isinstance(left, Literal) and relation in MIRRORED:
        left, relation, right = right, MIRRORED[relation], left
    if not true:
        relation = OPPOSITE[relation]
    value = evaluate(left, facts, now)
    bound = _bound(right, facts, now)
    text = f"{left.text} must {_WORDS[relation].format(bound)}: it is {in_words(value)}"
    return text + _patience(left, relation, right, value)


def _bound(right: Node, facts: Mapping[str, Value], now: datetime) -> str:
    """The other side as written; with its value where that isn't written down."""
    if isinstance(right, Options):
        return " or ".join(in_words(item.value) for item in right.items)
    if isinstance(right, Literal):
        return in_words(right.value) if not right.currency else right.text
    return f"{right.text} ({in_words(evaluate(right, facts, now))})"


def _patience(left: Node, relation: Relation, right: Node, value: Value) -> str:
    """That time alone will do, for a duration that runs."""
    runs = isinstance(left, Read) and left.field.since is not None
    if not runs or not isinstance(right, Literal) or not isinstance(value, timedelta):
        return ""
    if relation in (Relation.LESS, Relation.AT_MOST):
        return ", and it only grows"
    if relation in (Relation.GREATER, Relation.AT_LEAST) and isinstance(right.value, timedelta):
        return f"; wait {roughly(right.value - value)} more"
    return ""


def _inside(node: Node, facts: Mapping[str, Value], now: datetime) -> str:
    """The facts a function was given."""
    read = {name: value for name, value in _read(node, facts, now) if value is not UNKNOWN}
    told = ", ".join(f"{name} is {in_words(value)}" for name, value in read.items())
    return f": {told}" if told else ""


def _read(node: Node, facts: Mapping[str, Value], now: datetime) -> Iterator[tuple[str, Value]]:
    if isinstance(node, Read):
        yield node.field.name, evaluate(node, facts, now)
    for part in children(node):
        yield from _read(part, facts, now)


def _flag(value: bool) -> str:
    return "true" if value else "false"
