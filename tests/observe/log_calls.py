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
    """Every `log.<level>("…", field=…)` in `source`, one for each literal a conditional name may take."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        method = node.func.attr
        if method not in _LEVELS or not _is_logger(node.func.value):
            continue
        positional = node.args[1:] if method == "log" else node.args
        for name in _names(positional[0]) if positional else [None]:
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


def _is_logger(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return node.id in _LOGGERS
    if isinstance(node, ast.Attribute):
        return node.attr in _LOGGERS
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in {"bind", "new"} and _is_logger(node.func.value)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "get_logger"


def _names(node: ast.expr) -> list[str | None]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _names(node.body) + _names(node.orelse)
    return [None]
