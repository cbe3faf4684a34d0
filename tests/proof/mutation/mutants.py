"""Mutants: a function of the product with one small change.

Statements of SQL are constants outside functions and are not mutated; nor are texts.
"""

from __future__ import annotations

import ast
import copy
import inspect
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATIONS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: where, what, and the code object the function gets.

    `number` tells it from the others of its function, `statement` are the lines of the statement it is in.
    """

    module: str
    function: str
    number: int
    line: int
    statement: range
    what: str
    code: types.CodeType = field(compare=False, repr=False)

    def __str__(self) -> str:
        where = f"{self.module.removeprefix('smm_rules.')}:{self.line} {self.function}"
        return f"{where}: {self.what} [{self.number}]"


def mutants_of(module: types.ModuleType) -> Iterator[Mutant]:
    """Every mutant of the functions of a module."""
    path = Path(str(module.__file__))
    tree = ast.parse(path.read_text())
    for name, function in _functions(tree):
        count = len(list(_changes(function)))
        for number in range(count):
            changed = copy.deepcopy(tree)
            twin = dict(_functions(changed))[name]
            line, what, make = list(_changes(twin))[number]
            make()
            ast.fix_missing_locations(changed)
            try:
                code = compile(changed, str(path), "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                continue
            found = _code_of(code, name)
            if found is not None:
                statement = _statement(function, line)
                yield Mutant(module.__name__, name, number, line, statement, what, found)


def _statement(function: ast.AST, line: int) -> range:
    """The lines of the smallest statement that a line is in."""
    spans = [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(function)
        if isinstance(node, ast.stmt)
    ]
    return min((span for span in spans if line in span), key=len, default=range(line, line + 1))


def _functions(
    tree: ast.AST, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Functions of the module and of its classes, by qualified name."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")


def _code_of(code: types.CodeType, name: str) -> types.CodeType | None:
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            if constant.co_qualname == name:
                return constant
            found = _code_of(constant, name)
            if found is not None:
                return found
    return None


def _changes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[int, str, Any]]:
    """Each change as its line, its words and what makes it."""
    fixed = _typing(function) | _of_the_definition(function)
    for parent in ast.walk(function):
        if id(parent) in fixed:
            continue
        for name, value in ast.iter_fields(parent):
            if parent is function and name in ("decorator_list", "args"):
                continue
            if isinstance(value, list):
                for place, node in enumerate(value):
                    if isinstance(node, ast.AST):
                        yield from _of_node(node, lambda new, v=value, p=place: v.__setitem__(p, new))
            elif isinstance(value, ast.AST) and id(value) not in fixed:
                yield from _of_node(value, lambda new, o=parent, n=name: setattr(o, n, new))


def _of_the_definition(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[int]:
    """Defaults and decorations: they were worked out when the module was loaded, and aren't in the code."""
    return {id(node) for part in (function.args, *function.decorator_list) for node in ast.walk(part)}


def _typing(function: ast.AST) -> set[int]:
    """The nodes that only say of what type something is: no behaviour to change."""
    found: set[int] = set()
    for parent in ast.walk(function):
        for name in ("annotation", "returns"):
            node = getattr(parent, name, None)
            if isinstance(node, ast.AST):
                found |= {id(each) for each in ast.walk(node)}
    return found


def _of_node(node: ast.AST, put: Any) -> Iterator[tuple[int, str, Any]]:  # noqa: C901 - one arm a kind
    line = getattr(node, "lineno", 0)
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            other = _COMPARISONS.get(type(operator))
            if other is not None:
                words = f"{type(operator).__name__} → {other.__name__}"
                yield line, words, lambda p=place, o=other: node.ops.__setitem__(p, o())
    elif isinstance(node, ast.BoolOp):
        other_op = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield line, f"→ {other_op.__name__}", lambda: setattr(node, "op", other_op())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield line, "not dropped", lambda: put(node.operand)
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        other_kind = _OPERATIONS[type(node.op)]
        words = f"{type(node.op).__name__} → {other_kind.__name__}"
        yield line, words, lambda: setattr(node, "op", other_kind())
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node, line)
    elif isinstance(node, ast.If | ast.While | ast.IfExp):
        negated = ast.UnaryOp(ast.Not(), node.test)
        if not (isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)):
            yield line, "condition negated", lambda: setattr(node, "test", negated)
    elif isinstance(node, ast.comprehension):
        for place in range(len(node.ifs)):
            at = node.ifs[place].lineno
            yield at, "filter dropped", lambda p=place: node.ifs.pop(p)
    elif isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield line, "returns None", lambda: setattr(node, "value", ast.Constant(None))
    elif isinstance(node, ast.Raise | ast.AugAssign | ast.Delete):
        yield line, f"{type(node).__name__} dropped", lambda: put(ast.copy_location(ast.Pass(), node))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await) and not _logs(node):
        yield line, "call dropped", lambda: put(ast.copy_location(ast.Pass(), node))
    elif isinstance(node, ast.Continue):
        yield line, "→ break", lambda: put(ast.copy_location(ast.Break(), node))
    elif isinstance(node, ast.Break):
        yield line, "→ continue", lambda: put(ast.copy_location(ast.Continue(), node))


def _of_constant(node: ast.Constant, line: int) -> Iterator[tuple[int, str, Any]]:
    value = node.value
    if isinstance(value, bool):
        yield line, f"{value} → {not value}", lambda: setattr(node, "value", not value)
    elif isinstance(value, int | float):
        yield line, f"{value} → {value + 1}", lambda: setattr(node, "value", value + 1)


def _logs(node: ast.Expr) -> bool:
    """Whether a statement only tells: `log.info(…)`."""
    call = node.value
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "log"
    )


def function_named(module: types.ModuleType, name: str) -> types.FunctionType | None:
    """The function object under a qualified name, without its decorations."""
    found: Any = module
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, type) else getattr(found, part, None)
        if found is None:
            return None
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, classmethod | staticmethod):
        found = found.__func__
    found = inspect.unwrap(found) if callable(found) else found
    return found if isinstance(found, types.FunctionType) else None
