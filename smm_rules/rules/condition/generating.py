"""From a typed tree to one Python function: the facts in, true, false or None out, at the speed of Python.

Three-valued logic is part of what is generated: each part asks once whether a fact it reads is unknown, which
costs no more than a look at an object's identity.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from smm_rules.facts import UNKNOWN, Field, Value
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
from smm_rules.rules.condition.operations import FUNCTION_OPERATIONS, arithmetic, negative


class Holds(Protocol):
    """A compiled condition as a function: true, false, or None when a fact it needs is unknown."""

    def __call__(self, facts: Mapping[str, Value], now: datetime) -> bool | None: ...


#: A fact without a key, or a number that can't be worked out: rare enough to be left to the evaluator.
_UNDECIDED = (KeyError, ArithmeticError)
_FRAME = """
def holds(facts, now):
    try:
        ...
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
    body = generator.body(condition)
    module = ast.parse(_FRAME)
    function = module.body[0]
    assert isinstance(function, ast.FunctionDef)
    attempt = function.body[0]
    assert isinstance(attempt, ast.Try)
    attempt.body = body
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


@dataclass(frozen=True, slots=True)
class _Part:
    """A part's `value`, to be asked for only when all of `unknown`, asked in order, came out false.

    `exact` says that a boolean part's value is true or false itself, not merely as good as that.
    """

    value: ast.expr
    unknown: tuple[ast.expr, ...] = ()
    exact: bool = True


def _name(identifier: str) -> ast.expr:
    return ast.Name(identifier, ast.Load())


def _not(operand: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), operand)


def _is(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.Compare(left, [ast.Is()], [right])


def _fact(name: str) -> ast.expr:
    return ast.Subscript(_name("facts"), ast.Constant(name), ast.Load())


def _any(tests: Sequence[ast.expr]) -> ast.expr:
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), list(tests))


def _three_valued(part: _Part) -> ast.expr:
    """A boolean part as one expression that is true, false or None."""
    value = part.value if part.exact else _not(_not(part.value))
    return ast.IfExp(_any(part.unknown), ast.Constant(None), value) if part.unknown else value


def _or_unknown_fact(part: _Part) -> ast.expr:
    """A part as one expression that is its value or the unknown fact."""
    return ast.IfExp(_any(part.unknown), _name("unknown"), part.value) if part.unknown else part.value


def _or_unknown(tests: Sequence[ast.expr], otherwise: bool) -> ast.expr:
    """None if any of the tests is true, else the value given."""
    value = ast.Constant(otherwise)
    return ast.IfExp(_any(tests), ast.Constant(None), value) if tests else value


class _Generator:
    """Makes the parts of one function; `constants` gathers what it needs beside the facts."""

    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}
        self._variables = 0

    def body(self, condition: Node) -> list[ast.stmt]:
        """What the function does: the parts of an outermost `and` or `or` one after the other."""
        if not isinstance(condition, AllOf | AnyOf):
            return [ast.Return(_three_valued(self.part(condition)))]
        # `and` is decided by the first part that is false, `or` by the first that is true.
        decisive = isinstance(condition, AnyOf)
        known = ast.Name("known", ast.Store())
        statements: list[ast.stmt] = [ast.Assign([known], ast.Constant(not decisive))]
        for node in condition.parts:
            part = self.part(node)
            test = part.value if decisive else _not(part.value)
            decided: ast.stmt = ast.If(test, [ast.Return(ast.Constant(decisive))], [])
            if part.unknown:
                noted = ast.Assign([known], ast.Constant(None))
                decided = ast.If(_any(part.unknown), [noted], [decided])
            statements.append(decided)
        return [*statements, ast.Return(_name("known"))]

    def part(self, node: Node) -> _Part:
        """The code of one part."""
        match node:
            case Comparison():
                return self._comparison(node)
            case AllOf(parts=parts):
                return self._joined([self.part(part) for part in parts], decisive=False)
            case AnyOf(parts=parts):
                return self._joined([self.part(part) for part in parts], decisive=True)
            case Opposite(operand=operand):
                opposed = self.part(operand)
                return _Part(_not(opposed.value), opposed.unknown)
            case Read(field=field):
                return self._read(field)
            case IsKnown(field=field):
                is_known = ast.Compare(_fact(field.since or field.name), [ast.IsNot()], [_name("unknown")])
                return _Part(is_known)
            case Literal(value=value):
                return _Part(self._constant(value))
            case Options(items=items):
                return _Part(self._options(items))
        return self._calculated(node)

    def _calculated(self, node: Node) -> _Part:
        match node:
            case Arithmetic():
                return self._arithmetic(node)
            case Negative(operand=operand):
                return self._call("negative", negative, [operand])
            case Call(function=function, arguments=arguments):
                return self._call(function.name, FUNCTION_OPERATIONS[function.name], arguments)
        raise TypeError(f"{type(node).__name__} can't be compiled")

    def _kept(self, value: ast.expr) -> tuple[ast.expr, ast.expr]:
        """The value put into a variable where it is worked out, and the variable."""
        name = f"value{self._variables}"
        self._variables += 1
        return ast.NamedExpr(ast.Name(name, ast.Store()), value), _name(name)

    def _needed(self, value: ast.expr, before: tuple[ast.expr, ...] = ()) -> _Part:
        """A value that may turn out to be unknown itself, after what it is made of has been asked."""
        kept, variable = self._kept(value)
        return _Part(variable, (*before, _is(kept, _name("unknown"))))

    def _read(self, field: Field) -> _Part:
        stored = self._needed(_fact(field.since or field.name))
        if field.since is None:
            return _Part(stored.value, stored.unknown, exact=False)
        return _Part(ast.BinOp(_name("now"), ast.Sub(), stored.value), stored.unknown)

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

    def _joined(self, parts: list[_Part], *, decisive: bool) -> _Part:
        """`and` or `or` within a condition: the part that decides it, else unknown if any is."""
        deciding, unknown = [], []
        for part in parts:
            kept, variable = self._kept(_three_valued(part))
            deciding.append(kept if decisive else _is(kept, ast.Constant(False)))
            if part.unknown:
                unknown.append(_is(variable, ast.Constant(None)))
        undecided = _or_unknown(unknown, not decisive)
        return self._decided(ast.IfExp(_any(deciding), ast.Constant(decisive), undecided), bool(unknown))

    def _decided(self, value: ast.expr, may_be_unknown: bool) -> _Part:
        kept, variable = self._kept(value)
        return _Part(variable, (_is(kept, ast.Constant(None)),)) if may_be_unknown else _Part(value)

    def _comparison(self, node: Comparison) -> _Part:
        compared = self._chain(node)
        foreign: list[ast.expr] = []
        for fact in node.currency_facts:
            currency = self._needed(_fact(fact))
            other = ast.Compare(currency.value, [ast.NotEq()], [ast.Constant(node.currency)])
            foreign += [*currency.unknown, other]
        return _Part(compared.value, (*foreign, *compared.unknown))

    def _chain(self, node: Comparison) -> _Part:
        operands = [self.part(operand) for operand in node.operands]
        readers = [index for index, operand in enumerate(operands) if operand.unknown]
        # Every pair is unknown when all of them have the one operand that may be.
        if len(node.relations) == 1 or (len(node.relations) == 2 and readers in ([], [1])):
            left, *others = [operand.value for operand in operands]
            relations = [_RELATIONS[relation]() for relation in node.relations]
            unknown = tuple(test for operand in operands for test in operand.unknown)
            return _Part(ast.Compare(left, relations, others), unknown)
        return self._pairs(node.relations, operands)

    def _pairs(self, relations: Sequence[Relation], operands: Sequence[_Part]) -> _Part:
        """Each pair of a chain for itself; what stands between two relations is worked out once."""
        kept = [self._kept(_or_unknown_fact(operand)) for operand in operands]
        pairs = []
        for index, relation in enumerate(relations):
            (first, left), (second, right) = kept[index : index + 2]
            seen = left if index else first
            # `|` and not `or`: the next pair needs the second value, whatever the first came to.
            unknown = ast.BinOp(_is(seen, _name("unknown")), ast.BitOr(), _is(second, _name("unknown")))
            pairs.append(_Part(ast.Compare(left, [_RELATIONS[relation]()], [right]), (unknown,)))
        return self._joined(pairs, decisive=False)

    def _arithmetic(self, node: Arithmetic) -> _Part:
        numeric = node.left.type in NUMERIC and node.right.type in NUMERIC
        if not numeric and node.operation in (Operation.ADD, Operation.SUBTRACT):
            left, right = self.part(node.left), self.part(node.right)
            sign = ast.Add() if node.operation is Operation.ADD else ast.Sub()
            return _Part(ast.BinOp(left.value, sign, right.value), left.unknown + right.unknown)
        operation = arithmetic(node.operation, node.left.type, node.right.type)
        return self._call(operation.__name__.strip("_"), operation, [node.left, node.right])

    def _call(self, name: str, operation: Callable[..., Value], arguments: Sequence[Node]) -> _Part:
        given = [self.part(argument) for argument in arguments]
        self.constants[f"function_{name}"] = operation
        call = ast.Call(_name(f"function_{name}"), [part.value for part in given], [])
        return self._needed(call, tuple(test for part in given for test in part.unknown))
