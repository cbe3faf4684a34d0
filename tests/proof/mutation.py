"""Mutation testing: `python -m tests.proof.mutation engine ledger --minutes 30`.

Everything is imported and collected once. A mutant is a small change inside one function; a forked child puts
the changed code into the function and runs the tests that pass over the changed line, quickest first, until
one fails. A mutant that no test notices survives. What no test passes over is told apart.

Statements of SQL are constants outside functions and are not mutated; nor are texts.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import inspect
import json
import os
import pkgutil
import signal
import sys
import tempfile
import threading
import time
import types
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).parents[2]
#: The tests a mutant of each package must pass, beside those of the package itself.
TESTS = {
    "engine": ("tests/engine", "tests/polling", "tests/ledger/contract", "tests/actions", "tests/review"),
    "ledger": ("tests/ledger", "tests/actions", "tests/polling"),
}
#: So many functions are tried unchanged first.
CONTROLS = 25
#: A mutant that runs so much longer than its tests do is taken for endless, and so for noticed; in seconds.
_PATIENCE = 20.0

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
    """One change: where, what, and the code object the function gets."""

    module: str
    function: str
    line: int
    what: str
    code: types.CodeType = field(compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.module.removeprefix('smm_rules.')}:{self.line} {self.function}: {self.what}"


# -- making mutants --------------------------------------------------------------------------------------
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
                yield Mutant(module.__name__, name, line, what, found)


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
    typing = _typing(function)
    for parent in ast.walk(function):
        if id(parent) in typing:
            continue
        for name, value in ast.iter_fields(parent):
            if parent is function and name in ("decorator_list", "args"):
                continue
            if isinstance(value, list):
                for place, node in enumerate(value):
                    if isinstance(node, ast.AST):
                        yield from _of_node(node, lambda new, v=value, p=place: v.__setitem__(p, new))
            elif isinstance(value, ast.AST) and id(value) not in typing:
                yield from _of_node(value, lambda new, o=parent, n=name: setattr(o, n, new))


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


# -- running them ----------------------------------------------------------------------------------------
@dataclass
class Score:
    """What became of the mutants."""

    noticed: int = 0
    survived: list[str] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)
    not_tried: int = 0
    controls_failed: list[str] = field(default_factory=list)
    by_module: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    @property
    def share(self) -> float:
        tried = self.noticed + len(self.survived)
        return self.noticed / tried if tried else 0.0


class Driver:
    """A pytest plugin that runs mutants in place of tests."""

    def __init__(self, packages: list[str], minutes: float, seed: int, sample: int, only: str) -> None:
        self.packages = packages
        self.until = time.monotonic() + 60 * minutes
        self.seed = seed
        self.sample = sample
        self.only = only
        self.score = Score()
        self.files: set[str] = set()
        self.reached: defaultdict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
        self.durations: dict[str, float] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        modules = [module for package in self.packages for module in _modules(package)]
        modules = [module for module in modules if self.only in module.__name__]
        self.files = {str(module.__file__) for module in modules}
        self._map(session.items)
        mutants = [mutant for module in modules for mutant in mutants_of(module)]
        Random(self.seed).shuffle(mutants)
        if self.sample:
            mutants = mutants[: self.sample]
        self._tell(f"{len(mutants)} mutants, {len(session.items)} tests")
        self._control(mutants)
        for number, mutant in enumerate(mutants):
            if time.monotonic() > self.until:
                self.score.not_tried = len(mutants) - number
                break
            self._try(mutant)
            if number % 100 == 99:
                score = self.score
                self._tell(f"{number + 1}: {score.share:.1%}, {len(score.survived)} survived")
        return True

    def _control(self, mutants: list[Mutant]) -> None:
        """Unchanged functions must pass as mutants do, or the tests fail for another reason."""
        for mutant in mutants[:CONTROLS]:
            module = sys.modules[mutant.module]
            function = function_named(module, mutant.function)
            items = self.reached.get((str(module.__file__), mutant.line), [])
            if function is None or not items:
                continue
            unchanged = replace(mutant, code=function.__code__)
            if self._noticed(function, unchanged, items):
                self.score.controls_failed.append(str(mutant))
        self._tell(f"controls failed: {self.score.controls_failed}")

    def _map(self, items: list[pytest.Item]) -> None:
        """Run every test once, and note which lines of ours each passes over."""
        self._tell(f"mapping {len(items)} tests")
        for item in items:
            lines: set[tuple[str, int]] = set()
            files = self.files

            def local(frame: types.FrameType, event: str, _: Any, lines: Any = lines) -> Any:
                if event == "line":
                    lines.add((frame.f_code.co_filename, frame.f_lineno))
                return local

            def trace(
                frame: types.FrameType,
                event: str,
                _: Any,
                local: Any = local,
                lines: Any = lines,
                files: Any = files,
            ) -> Any:
                if frame.f_code.co_filename not in files:
                    return None
                lines.add((frame.f_code.co_filename, frame.f_lineno))
                return local

            threading.settrace(trace)
            sys.settrace(trace)
            began = time.monotonic()
            try:
                passed = _passes(item)
            finally:
                sys.settrace(None)
                threading.settrace(None)
            self.durations[item.nodeid] = time.monotonic() - began
            if passed:
                for line in lines:
                    self.reached[line].append(item)
            else:
                self._tell(f"left out, for it fails by itself: {item.nodeid}")
        for found in self.reached.values():
            found.sort(key=lambda item: self.durations[item.nodeid])

    def _try(self, mutant: Mutant) -> None:
        module = sys.modules[mutant.module]
        counts = self.score.by_module[mutant.module.removeprefix("smm_rules.")]
        items = self.reached.get((str(module.__file__), mutant.line), [])
        function = function_named(module, mutant.function)
        if function is None or function.__code__.co_freevars != mutant.code.co_freevars:
            counts["not possible"] += 1
            return
        if not items:
            self.score.unreached.append(str(mutant))
            counts["unreached"] += 1
        elif self._noticed(function, mutant, items):
            self.score.noticed += 1
            counts["noticed"] += 1
        else:
            self.score.survived.append(str(mutant))
            counts["survived"] += 1

    def _noticed(self, function: types.FunctionType, mutant: Mutant, items: list[pytest.Item]) -> bool:
        process = os.fork()
        if process == 0:
            self._child(function, mutant, items)
        longest = _PATIENCE + 2 * sum(self.durations[item.nodeid] for item in items)
        until = time.monotonic() + min(longest, 180.0)
        while time.monotonic() < until:
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                return status != 0
            time.sleep(0.002)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        return True

    def _child(self, function: types.FunctionType, mutant: Mutant, items: list[pytest.Item]) -> None:
        """Run the tests on the mutant; never returns. Exit 0 says that none noticed."""
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        function.__code__ = mutant.code
        try:
            for item in items:
                if not _passes(item):
                    os._exit(1)
        except BaseException:
            os._exit(1)
        os._exit(0)

    def _tell(self, words: str) -> None:
        print(words, file=sys.__stderr__, flush=True)


def _passes(item: pytest.Item) -> bool:
    reports = runtestprotocol(item, log=False, nextitem=None)
    return all(report.passed or report.skipped for report in reports)


def _modules(package: str) -> list[types.ModuleType]:
    root = importlib.import_module(f"smm_rules.{package}")
    names = [name for _, name, _ in pkgutil.walk_packages(root.__path__, f"{root.__name__}.")]
    return [importlib.import_module(name) for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="+", choices=sorted(TESTS))
    parser.add_argument("--minutes", default=60.0, type=float, help="no mutant is begun later than that")
    parser.add_argument("--sample", default=0, type=int, help="only so many mutants, drawn by the seed")
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--only", default="", help="only modules whose name contains this")
    parser.add_argument("--tests", nargs="*", help="the tests, instead of those chosen for the packages")
    asked = parser.parse_args()
    tests = asked.tests or list(dict.fromkeys(path for name in asked.packages for path in TESTS[name]))
    driver = Driver(asked.packages, asked.minutes, asked.seed, asked.sample, asked.only)
    memory = Path("/dev/shm")
    options = ["-q", "-p", "no:xdist", "-p", "no:timeout", "-p", "no:cacheprovider", "-p", "no:warnings"]
    with tempfile.TemporaryDirectory("", "smm-mutation-", memory if memory.is_dir() else None) as base:
        pytest.main([*options, f"--basetemp={base}/tests", *(str(ROOT / path) for path in tests)], [driver])
    score = driver.score
    told = {
        "score": round(score.share, 4),
        "noticed": score.noticed,
        "survived": len(score.survived),
        "unreached": len(score.unreached),
        "not tried": score.not_tried,
        "controls failed": score.controls_failed,
        "by module": {name: dict(counts) for name, counts in sorted(score.by_module.items())},
        "survivors": sorted(score.survived),
        "unreached ones": sorted(score.unreached),
    }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
