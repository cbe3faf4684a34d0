"""Log calls as the source has them, read from the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "smm_rules"
_LEVELS = {
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "error": "error",
    "exception": "error",
    "critical": "error",
    "log": None,
}
_LOGGERS = {"log", "_log", "logger", "_logger"}
#: Keywords of structlog itself, not fields.
_NOT_FIELDS = {"exc_info", "stack_info"}


@dataclass(frozen=True)
class LogCall:
    """One call. `level` is None where it is chosen at run time, `name` where it isn't a literal."""

    place: str
    level: str | None
    name: str | None
    fields: frozenset[str]
    complete: bool


def log_calls(source: str, file: str) -> Iterator[LogCall]:
    """Every `log.<level>("…", field=…)` in `source`, one for each literal the name may be.

    A name may be a literal, a choice between some, or looked up in a table of literals of the module.
    """
    tree = ast.parse(source)
    tables = dict(_tables(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        method = node.func.attr
        if method not in _LEVELS or not _is_logger(node.func.value):
            continue
        positional = node.args[1:] if method == "log" else node.args
        for name in _names(positional[0], tables) if positional else [None]:
            yield LogCall(
                place=f"{file}:{node.lineno}",
                level=_LEVELS[method],
                name=name,
                fields=frozenset(key.arg for key in node.keywords if key.arg) - _NOT_FIELDS,
                complete=all(key.arg for key in node.keywords),
            )


def package_log_calls() -> list[LogCall]:
    """The log calls of the whole package; the simulator keeps its own journal and is left out."""
    found: list[LogCall] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE.parent)
        if relative.parts[1] != "simulator":
            found.extend(log_calls(path.read_text(encoding="utf-8"), str(relative)))
    return found


def carried_fields() -> set[str]:
    """The names of all fields that `correlated(…)` adds to the events of a piece of work."""
    found: set[str] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "correlated"
            ):
                found |= {key.arg or "**" for key in node.keywords}
    return found


def _is_logger(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return node.id in _LOGGERS
    if isinstance(node, ast.Attribute):
        return node.attr in _LOGGERS
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in {"bind", "new"} and _is_logger(node.func.value)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "get_logger"


def _tables(tree: ast.Module) -> Iterator[tuple[str, list[str | None]]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            values = [name for value in node.value.values for name in _names(value, {})]
            yield from ((target.id, values) for target in node.targets if isinstance(target, ast.Name))


def _names(node: ast.expr, tables: dict[str, list[str | None]]) -> list[str | None]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _names(node.body, tables) + _names(node.orelse, tables)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        return tables.get(node.value.id, [None])
    return [None]
