"""What arithmetic and functions do to known values. What can't be worked out is UNKNOWN, never an exception.

Numbers and money are int or Decimal. Decimals are worked out in one context of our own, whatever the
thread's is: 28 digits, halves to even, nothing trapped.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from typing import Any

from smm_rules.facts import UNKNOWN, FactType, Unknown, Value
from smm_rules.rules.condition.functions import NUMERIC
from smm_rules.rules.condition.nodes import Operation

CONTEXT = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[])
_MICROSECOND = timedelta(microseconds=1)
_Number = int | Decimal
#: Ints longer than this are worked out as decimals, so that no product grows without bound.
_LONGEST_INT = 10**40


def _finite(number: Decimal) -> Decimal | Unknown:
    return number if number.is_finite() else UNKNOWN


def _whole(number: _Number) -> _Number | Unknown:
    """An int of reasonable length as it is, a longer one as a decimal."""
    if isinstance(number, int) and -_LONGEST_INT < number < _LONGEST_INT:
        return number
    return _finite(CONTEXT.create_decimal(number))


def _add(left: _Number, right: _Number) -> Value:
    if isinstance(left, int) and isinstance(right, int):
        return _whole(left + right)
    return _finite(CONTEXT.add(left, right))


def _subtract(left: _Number, right: _Number) -> Value:
    if isinstance(left, int) and isinstance(right, int):
        return _whole(left - right)
    return _finite(CONTEXT.subtract(left, right))


def _multiply(left: _Number, right: _Number) -> Value:
    if isinstance(left, int) and isinstance(right, int):
        return _whole(left * right)
    return _finite(CONTEXT.multiply(left, right))


def _divide(left: _Number, right: _Number) -> Value:
    """Always a decimal; by zero it is unknown."""
    return _finite(CONTEXT.divide(left, right))


def _scale(left: timedelta | _Number, right: timedelta | _Number) -> Value:
    duration, factor = (left, right) if isinstance(left, timedelta) else (right, left)
    assert isinstance(duration, timedelta)
    assert not isinstance(factor, timedelta)
    return _microseconds(_multiply(duration // _MICROSECOND, factor))


def _share(left: timedelta, right: _Number) -> Value:
    return _microseconds(_divide(left // _MICROSECOND, right))


def _ratio(left: timedelta, right: timedelta) -> Value:
    return _divide(left // _MICROSECOND, right // _MICROSECOND)


def _microseconds(count: Value) -> Value:
    if not isinstance(count, int | Decimal):
        return UNKNOWN
    whole = int(Decimal(count).to_integral_value(ROUND_HALF_EVEN, CONTEXT))
    return timedelta(microseconds=whole)


def _plus(left: Any, right: Any) -> Value:
    moved: datetime | timedelta = left + right
    return moved


def _minus(left: Any, right: Any) -> Value:
    moved: datetime | timedelta = left - right
    return moved


def arithmetic(operation: Operation, left: FactType, right: FactType) -> Callable[[Any, Any], Value]:
    """What works an operation out for values of two types that `typing_rules` lets it have.

    It may raise ArithmeticError, which is as good as UNKNOWN.
    """
    if left in NUMERIC and right in NUMERIC:
        return _NUMERIC_OPERATIONS[operation]
    if operation is Operation.MULTIPLY:
        return _scale
    if operation is Operation.DIVIDE:
        return _ratio if right is FactType.DURATION else _share
    return _plus if operation is Operation.ADD else _minus


_NUMERIC_OPERATIONS: dict[Operation, Callable[[Any, Any], Value]] = {
    Operation.ADD: _add,
    Operation.SUBTRACT: _subtract,
    Operation.MULTIPLY: _multiply,
    Operation.DIVIDE: _divide,
}


def negative(value: Any) -> Value:
    """The value with its sign turned, exactly."""
    if isinstance(value, Decimal):
        return value.copy_negate() if value else abs(value)
    turned: int | timedelta = -value
    return turned


def _absolute(value: Any) -> Value:
    size: Value = value.copy_abs() if isinstance(value, Decimal) else abs(value)
    return size


def _rounded(value: _Number) -> Value:
    return value if isinstance(value, int) else _finite(value.to_integral_value(ROUND_HALF_UP, CONTEXT))


def _contains(text: str, part: str) -> bool:
    return part in text


FUNCTION_OPERATIONS: dict[str, Callable[..., Value]] = {
    "abs": _absolute,
    "min": min,
    "max": max,
    "round": _rounded,
    "contains": _contains,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "lower": str.lower,
}
