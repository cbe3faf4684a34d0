"""Which types calculate and compare with which, and how that is said in words."""

from __future__ import annotations

from smm_rules.facts import FactType
from smm_rules.rules.condition.functions import NUMERIC, ORDERED, STATUSES
from smm_rules.rules.condition.literals import quoted
from smm_rules.rules.condition.nodes import Literal, Node, Operation, Options, Read, Relation

_NUMBER, _MONEY, _DURATION, _TIME = FactType.NUMBER, FactType.MONEY, FactType.DURATION, FactType.TIME

#: The results of arithmetic; what isn't here can't be calculated.
_RESULTS: dict[tuple[FactType, Operation, FactType], FactType] = {
    (_NUMBER, Operation.MULTIPLY, _NUMBER): _NUMBER,
    (_MONEY, Operation.MULTIPLY, _NUMBER): _MONEY,
    (_NUMBER, Operation.MULTIPLY, _MONEY): _MONEY,
    (_DURATION, Operation.MULTIPLY, _NUMBER): _DURATION,
    (_NUMBER, Operation.MULTIPLY, _DURATION): _DURATION,
    (_NUMBER, Operation.DIVIDE, _NUMBER): _NUMBER,
    (_MONEY, Operation.DIVIDE, _NUMBER): _MONEY,
    (_MONEY, Operation.DIVIDE, _MONEY): _NUMBER,
    (_NUMBER, Operation.DIVIDE, _MONEY): _NUMBER,
    (_DURATION, Operation.DIVIDE, _NUMBER): _DURATION,
    (_DURATION, Operation.DIVIDE, _DURATION): _NUMBER,
    (_TIME, Operation.ADD, _DURATION): _TIME,
    (_DURATION, Operation.ADD, _TIME): _TIME,
    (_TIME, Operation.SUBTRACT, _DURATION): _TIME,
    (_TIME, Operation.SUBTRACT, _TIME): _DURATION,
    (_DURATION, Operation.ADD, _DURATION): _DURATION,
    (_DURATION, Operation.SUBTRACT, _DURATION): _DURATION,
} | {
    (left, operation, right): _NUMBER if left is right is _NUMBER else _MONEY
    for operation in (Operation.ADD, Operation.SUBTRACT)
    for left in NUMERIC
    for right in NUMERIC
}

_VERBS = {
    Operation.ADD: "added to",
    Operation.SUBTRACT: "taken from",
    Operation.MULTIPLY: "multiplied by",
    Operation.DIVIDE: "divided by",
}
A_DURATION = "Write a duration like `3d`, `10m` or `1h30m`"
EQUALITIES = frozenset({Relation.EQUAL, Relation.UNEQUAL})


def arithmetic_type(operation: Operation, left: FactType, right: FactType) -> FactType | None:
    """The type of the result, None where the two can't be calculated with."""
    return _RESULTS.get((left, operation, right))


def arithmetic_message(operation: Operation, left: Node, right: Node) -> str:
    """Why two values can't be calculated with."""
    first, second = (right, left) if operation in (Operation.ADD, Operation.SUBTRACT) else (left, right)
    return f"{described(first)} can't be {_VERBS[operation]} {described(second)}"


def alike(left: FactType, right: FactType) -> bool:
    """Whether values of the two types can be compared at all."""
    return left is right or (left in NUMERIC and right in NUMERIC)


def has_order(kind: FactType) -> bool:
    """Whether values of the type can be compared with < and >."""
    return kind in ORDERED


def described(node: Node) -> str:
    """A part in words: "`remains` (a number)", "the text `"5"`", "the duration `3d`"."""
    if isinstance(node, Literal):
        kind = "value" if node.type is FactType.BOOLEAN else node.type
        return f"the {kind} `{node.text}`"
    return f"`{node.text}` ({a(node.type)})"


def a(kind: FactType) -> str:
    """A type with its article."""
    if kind is FactType.BOOLEAN:
        return "true or false"
    if kind is FactType.MONEY:
        return "money"
    return f"an {kind}" if kind is FactType.ORDER_STATUS else f"a {kind}"


def mismatch_suggestion(left: Node, right: Node) -> str:
    """The likeliest way out when two values of different types are compared."""
    for literal, other in ((right, left), (left, right)):
        if isinstance(literal, Options) and literal.items:
            literal = literal.items[0]
        if isinstance(literal, Literal) and not isinstance(other, Literal):
            suggestion = _rewritten(literal, other.type)
            if suggestion:
                return suggestion
    return ""


def _rewritten(literal: Literal, wanted: FactType) -> str:
    value = literal.value
    if wanted in NUMERIC and isinstance(value, str):
        return f"Write `{value}` without quotes" if value.replace(".", "", 1).isdigit() else ""
    if wanted in STATUSES | {FactType.TEXT} and literal.type is not FactType.TEXT:
        return f"Write `{quoted(literal.text)}`, in quotes"
    if wanted is FactType.DURATION:
        return A_DURATION
    if wanted is FactType.BOOLEAN:
        return _as_boolean(literal)
    if wanted is FactType.TIME:
        return "Compare how long ago it was, like `age < 3d`"
    return ""


def _as_boolean(literal: Literal) -> str:
    word = str(literal.value).casefold()
    if word in ("true", "yes", "1", "on"):
        return "Write `true`, without quotes" if literal.type is FactType.TEXT else "Write `true`"
    if word in ("false", "no", "0", "off"):
        return "Write `false`, without quotes" if literal.type is FactType.TEXT else "Write `false`"
    return "It is `true` or `false`"


def boolean_suggestion(node: Node) -> str:
    """How a value that isn't true or false could become a condition."""
    if node.type in NUMERIC and not isinstance(node, Literal):
        return f"Write a comparison, like `{node.text} > 0`"
    if node.type is FactType.DURATION and not isinstance(node, Literal):
        return f"Write a comparison, like `{node.text} > 3d`"
    if node.type is FactType.TIME and isinstance(node, Read):
        return f"Write `known({node.text})`, or compare how long ago it was, like `age < 3d`"
    if node.type in STATUSES:
        return f'Write a comparison, like `{node.text} == "Completed"`'
    if node.type is FactType.TEXT and not isinstance(node, Literal):
        return f'Write a comparison, like `{node.text} != ""`'
    return "Write a comparison, like `remains > 0`"
