"""Checks of comparisons: types, statuses that exist, lists, and one currency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from smm_rules.document.problem import did_you_mean
from smm_rules.facts import FactType, Field, OrderStatus, RefillStatus, order_status, refill_status
from smm_rules.rules.condition.functions import STATUSES
from smm_rules.rules.condition.literals import CURRENCIES, near_currency, quoted
from smm_rules.rules.condition.nodes import Call, Comparison, Literal, Node, Options, Read, Relation, children
from smm_rules.rules.condition.typing_rules import (
    EQUALITIES,
    alike,
    described,
    has_order,
    mismatch_suggestion,
)

_MEMBERSHIPS = frozenset({Relation.IN, Relation.NOT_IN})
_KNOWN_STATUSES: dict[FactType, frozenset[str]] = {
    FactType.ORDER_STATUS: frozenset(OrderStatus),
    FactType.REFILL_STATUS: frozenset(RefillStatus),
}


class CheckingNames(Protocol):
    """Who is told of problems and knows the readable fields."""

    @property
    def fields(self) -> Mapping[str, Field]: ...

    def complain(self, offset: int, message: str, suggestion: str = "") -> None: ...


def check_comparison(comparison: Comparison, checker: CheckingNames) -> Comparison | None:
    """The comparison with its statuses in one spelling and its currency, None when it is wrong."""
    if len(comparison.relations) > 1 and _MEMBERSHIPS & set(comparison.relations):
        checker.complain(
            comparison.start, "`in` can't be chained with other comparisons", "Join them by `and`"
        )
        return None
    spelled = _spelled(comparison, checker)
    if spelled is None:
        return None
    pairs = zip(spelled.relations, spelled.operands, spelled.operands[1:], strict=False)
    fits = [_pair_fits(relation, left, right, checker) for relation, left, right in pairs]
    if not all(fits):
        return None
    return _in_one_currency(spelled, checker)


def _spelled(comparison: Comparison, checker: CheckingNames) -> Comparison | None:
    """Texts held against a status become that status in its one spelling."""
    status = next((o.type for o in comparison.operands if o.type in STATUSES), None)
    if status is None:
        return comparison
    operands = [_as_status(operand, status, checker) for operand in comparison.operands]
    whole = tuple(operand for operand in operands if operand is not None)
    return replace(comparison, operands=whole) if len(whole) == len(operands) else None


def _as_status(node: Node, status: FactType, checker: CheckingNames) -> Node | None:
    if isinstance(node, Options):
        items = [_as_status(item, status, checker) for item in node.items]
        known = tuple(item for item in items if isinstance(item, Literal))
        return replace(node, type=known[0].type, items=known) if len(known) == len(items) else None
    if not (isinstance(node, Literal) and isinstance(node.value, str)):
        return node
    spell = order_status if status is FactType.ORDER_STATUS else refill_status
    spelling = spell(node.value)
    if spelling in _KNOWN_STATUSES[status]:
        return replace(node, type=status, value=spelling)
    suggestion = did_you_mean(node.value, _KNOWN_STATUSES[status])
    known_ones = ", ".join(OrderStatus if status is FactType.ORDER_STATUS else RefillStatus)
    lowered = quoted(node.value.lower())
    own = f"The statuses are {known_ones}. For a panel's own one write `lower(status) == {lowered}`"
    checker.complain(node.start, f"there is no {status} {node.text}", suggestion or own)
    return None


def _pair_fits(relation: Relation, left: Node, right: Node, checker: CheckingNames) -> bool:
    if relation in _MEMBERSHIPS:
        return _membership_fits(relation, left, right, checker)
    if not alike(left.type, right.type):
        at = right.start if isinstance(right, Literal) or not isinstance(left, Literal) else left.start
        message = f"{described(left)} can't be compared with {described(right)}"
        checker.complain(at, message, mismatch_suggestion(left, right))
        return False
    if relation not in EQUALITIES and not has_order(left.type):
        message = f"{described(left)} has no order, so `{relation}` can't compare it"
        checker.complain(left.start, message, "Use `==` or `!=`")
        return False
    return _text_can_be_equal(left, right, checker)


def _membership_fits(relation: Relation, left: Node, right: Node, checker: CheckingNames) -> bool:
    if not isinstance(right, Options):
        way_out = "Write a list: `(1, 2)`"
        if isinstance(right, Literal):
            way_out = f"Write `({right.text})`, or compare with `{'==' if relation is Relation.IN else '!='}`"
        elif left.type is right.type is FactType.TEXT:
            negation = "" if relation is Relation.IN else "not "
            way_out = f"Write `{negation}contains({right.text}, {left.text})`"
        checker.complain(right.start, f"after `{relation}` comes a list, not `{right.text}`", way_out)
        return False
    fits = True
    for item in right.items:
        if not alike(left.type, item.type):
            message = f"{described(left)} can't be in a list with {described(item)}"
            checker.complain(item.start, message, mismatch_suggestion(left, item))
            fits = False
        elif not _text_can_be_equal(left, item, checker):
            fits = False
    return fits


def _text_can_be_equal(left: Node, right: Node, checker: CheckingNames) -> bool:
    """A text that could never be equal is a slip: a currency misspelt, capitals held against lower()."""
    for side, literal in ((left, right), (right, left)):
        if not (isinstance(literal, Literal) and isinstance(literal.value, str)):
            continue
        if _is_currency(side) and literal.value not in CURRENCIES:
            near = near_currency(literal.value)
            checker.complain(literal.start, f"there is no currency {literal.text}", near)
            return False
        if _is_lowered(side) and literal.value != literal.value.lower():
            way_out = f"Write `{quoted(literal.value.lower())}`"
            checker.complain(
                literal.start, f"`{side.text}` has no capitals, so it never equals `{literal.text}`", way_out
            )
            return False
    return True


def _is_currency(node: Node) -> bool:
    return isinstance(node, Read) and node.field.name.rpartition(".")[2] == "currency"


def _is_lowered(node: Node) -> bool:
    return isinstance(node, Call) and node.function.name == "lower"


def _in_one_currency(comparison: Comparison, checker: CheckingNames) -> Comparison | None:
    written = [literal for literal in _money_literals(comparison) if literal.currency]
    if not written:
        return comparison
    first = written[0]
    for literal in written[1:]:
        if literal.currency != first.currency:
            message = f"`{first.text}` and `{literal.text}` are in different currencies"
            checker.complain(literal.start, message, "A rule can't change money; write both in one")
            return None
    facts = sorted({_currency_fact(read.field, checker) for read in _money_facts(comparison)})
    if not facts:
        way_out = "Write the number without a currency"
        checker.complain(
            first.start, f"`{first.text}` is compared with nothing that is in a currency", way_out
        )
        return None
    return replace(comparison, currency=first.currency, currency_facts=tuple(facts))


def _money_literals(node: Node) -> Iterator[Literal]:
    for part in children(node):
        if isinstance(part, Literal) and part.type is FactType.MONEY:
            yield part
        elif isinstance(part, Options):
            yield from (item for item in part.items if item.type is FactType.MONEY)
        elif part.type is not FactType.BOOLEAN:
            yield from _money_literals(part)


def _money_facts(node: Node) -> Iterator[Read]:
    for part in children(node):
        if isinstance(part, Read) and part.type is FactType.MONEY:
            yield part
        elif part.type is not FactType.BOOLEAN:
            yield from _money_facts(part)


def _currency_fact(field: Field, checker: CheckingNames) -> str:
    """The fact that names the currency of a money fact: its own thing's, else the panel's balance's."""
    prefix = field.name.rpartition(".")[0]
    own = f"{prefix}.currency" if prefix else "currency"
    return checker.fields[own].name if own in checker.fields else "balance.currency"
