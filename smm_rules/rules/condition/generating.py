"""From a typed tree to one Python function: the facts in, true, false or None out, at the speed of Python."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from smm_rules.facts import UNKNOWN, Field, UnknownFact, Value
from smm_rules.rules.condition.functions import NUMERIC
from smm_rules.rules.condition.kleene import truth
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
    Operation,
    Opposite,
    Options,
    Read,
    Relation,
)
from smm_rules.rules.condition.operations import FUNCTION_OPERATIONS, arithmetic, needing_known, negative


class Holds(Protocol):
    """A compiled condition as a function: true, false, or None when a fact it needs is unknown."""

    def __call__(self, facts: Mapping[str, Value], now: datetime) -> bool | None: ...


#: An unknown fact, a fact without a key, or a number that can't be worked out: three-valued logic decides.
_UNDECIDED = (UnknownFact, KeyError, ArithmeticError)
_FRAME = """
def holds(facts, now):
    try:
        return ...
    except undecided:
        return decide(facts, now)
"""
_RELATIONS: dict[Relation, type[ast.cmpop]] = {
    Relation.EQUAL: ast.Eq,
    Relation.UNEQUAL: ast.NotEq,
    Relation.LESS: ast.Lt,
    Relation.AT_MOST: ast.LtE,
    Relation.GREATER: ast.Gt,
    Relation.AT_LEAST: ast.GtE,
    Relation.IN: ast.In,
    Relation.NOT_IN: ast.NotIn,
}


def generate(condition: Node) -> Holds:
    """The condition as a function. Facts are subscripts of the mapping given to it; it sees no builtins."""

    def decide(facts: Mapping[str, Value], now: datetime) -> bool | None:
        return truth(condition, facts, now)

    generator = _Generator()
    # The last part of `and` and `or` may be a fact itself: `not not` makes it a boolean, or raises.
    body = generator.expression(condition)
    result = body if isinstance(condition, Comparison) and not condition.currency else _not(_not(body))
    module = ast.parse(_FRAME)
    function = module.body[0]
    assert isinstance(function, ast.FunctionDef)
    attempt = function.body[0]
    assert isinstance(attempt, ast.Try)
    attempt.body = [ast.Return(result)]
    namespace: dict[str, Any] = {
        "__builtins__": {},
        "undecided": _UNDECIDED,
        "decide": decide,
        "unknown": UNKNOWN,
        **generator.constants,
    }
    # Only nodes made below are compiled: names of our own, checked literals, subscripts of the facts.
    exec(compile(ast.fix_missing_locations(module), "<condition>", "exec"), namespace)  # noqa: S102
    holds: Holds = namespace["holds"]
    return holds


def _name(identifier: str) -> ast.expr:
    return ast.Name(identifier, ast.Load())


def _not(operand: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), operand)


def _fact(name: str) -> ast.expr:
    return ast.Subscript(_name("facts"), ast.Constant(name), ast.Load())


class _Generator:
    """Makes the parts of one function; `constants` gathers what it needs beside the facts."""

    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}

    def expression(self, node: Node) -> ast.expr:
        match node:
            case Comparison():
                return self._comparison(node)
            case AllOf(parts=parts):
                return ast.BoolOp(ast.And(), [self.expression(part) for part in parts])
            case AnyOf(parts=parts):
                return ast.BoolOp(ast.Or(), [self.expression(part) for part in parts])
            case Opposite(operand=operand):
                return _not(self.expression(operand))
            case Read(field=field):
                return self._read(field)
            case IsKnown(field=field):
                return ast.Compare(_fact(field.since or field.name), [ast.IsNot()], [_name("unknown")])
            case Literal(value=value):
                return self._constant(value)
            case Options(items=items):
                return self._options(items)
        return self._calculated(node)

    def _calculated(self, node: Node) -> ast.expr:
        match node:
            case Arithmetic(left=left, right=right):
                return self._arithmetic(node, self.expression(left), self.expression(right))
            case Negative(operand=operand):
                return self._call("negative", negative, [self.expression(operand)])
            case Call(function=function, arguments=arguments):
                operation = FUNCTION_OPERATIONS[function.name]
                return self._call(function.name, operation, [self.expression(part) for part in arguments])
        raise TypeError(f"{type(node).__name__} can't be compiled")

    def _read(self, field: Field) -> ast.expr:
        if field.since is None:
            return _fact(field.name)
        return ast.BinOp(_name("now"), ast.Sub(), _fact(field.since))

    def _constant(self, value: Any) -> ast.expr:
        if isinstance(value, bool | int | str):
            return ast.Constant(value)
        return self._held(value)

    def _held(self, value: Any) -> ast.expr:
        """A value that Python has no constant for, kept beside the function."""
        name = f"constant{len(self.constants)}"
        self.constants[name] = value
        return _name(name)

    def _options(self, items: tuple[Literal, ...]) -> ast.expr:
        values = tuple(item.value for item in items)
        texts = all(isinstance(value, str) for value in values)
        return self._held(frozenset(values) if texts else values)

    def _comparison(self, node: Comparison) -> ast.expr:
        left, *others = [self.expression(operand) for operand in node.operands]
        compared: ast.expr = ast.Compare(
            left, [_RELATIONS[relation]() for relation in node.relations], others
        )
        for fact in node.currency_facts:
            same = ast.Compare(_fact(fact), [ast.Eq()], [ast.Constant(node.currency)])
            compared = ast.IfExp(same, compared, _name("unknown"))
        return compared

    def _arithmetic(self, node: Arithmetic, left: ast.expr, right: ast.expr) -> ast.expr:
        numeric = node.left.type in NUMERIC and node.right.type in NUMERIC
        if not numeric and node.operation in (Operation.ADD, Operation.SUBTRACT):
            sign = ast.Add() if node.operation is Operation.ADD else ast.Sub()
            return ast.BinOp(left, sign, right)
        operation = arithmetic(node.operation, node.left.type, node.right.type)
        return self._call(operation.__name__.strip("_"), operation, [left, right])

    def _call(self, name: str, operation: Callable[..., Value], arguments: list[ast.expr]) -> ast.expr:
        self.constants[f"function_{name}"] = needing_known(operation)
        return ast.Call(_name(f"function_{name}"), arguments, [])
