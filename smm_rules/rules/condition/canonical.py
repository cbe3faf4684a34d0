"""A condition's meaning as text, for hashing: layout, aliases and spellings of one value don't show in it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from smm_rules.rules.condition.literals import quoted
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
)


def canonical(node: Node) -> str:
    """The one writing of a part, every operation in parentheses."""
    match node:
        case AllOf(parts=parts):
            return _joined(" and ", parts)
        case AnyOf(parts=parts):
            return _joined(" or ", parts)
        case Opposite(operand=operand):
            return f"(not {canonical(operand)})"
        case Comparison(operands=operands, relations=relations):
            rest = "".join(
                f" {relation} {canonical(operand)}"
                for relation, operand in zip(relations, operands[1:], strict=True)
            )
            return f"({canonical(operands[0])}{rest})"
        case Arithmetic(operation=operation, left=left, right=right):
            return f"({canonical(left)} {operation} {canonical(right)})"
        case Negative(operand=operand):
            return f"(-{canonical(operand)})"
        case Call(function=function, arguments=arguments):
            return f"{function.name}({', '.join(canonical(argument) for argument in arguments)})"
    return _value(node)


def _joined(word: str, parts: tuple[Node, ...]) -> str:
    return f"({word.join(canonical(part) for part in parts)})"


def _value(node: Node) -> str:
    match node:
        case Read(field=field):
            return field.name
        case IsKnown(field=field):
            return f"known({field.name})"
        case Options(items=items):
            return f"[{', '.join(canonical(item) for item in items)}]"
        case Literal(value=value, currency=currency):
            return f"{literal(value)} {currency}".rstrip()
    raise TypeError(f"{type(node).__name__} has no writing")


def literal(value: object) -> str:
    """One writing for equal values: `0.10` and `10%`, `60m` and `1h`."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case timedelta():
            return f"{value.total_seconds():.0f}s"
        case Decimal():
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)
