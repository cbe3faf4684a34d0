"""Where output goes: results to standard output, everything about them to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from smm_rules.document import Problem
from smm_rules.facts import Entity, format_duration


def output() -> Console:
    """The console of results. Not coloured and never wrapped when it isn't a terminal."""
    return Console(soft_wrap=not sys.stdout.isatty(), highlight=False)


def errors() -> Console:
    """The console of messages."""
    return Console(stderr=True, soft_wrap=not sys.stderr.isatty(), highlight=False)


def plain(value: object) -> object:
    """`value` as JSON can hold it: money and numbers as text, times in ISO 8601, durations like `10m`."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Entity | Path):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def print_json(value: object) -> None:
    """One JSON document on standard output, for scripts."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")


def safe(text: object) -> str:
    """Text from outside, fit for a table: no markup, no control characters."""
    printable = "".join(character if character.isprintable() else "·" for character in str(text))
    return escape(printable)


def print_problems(problems: Sequence[Problem]) -> None:
    """Each problem with its place, its line and a caret below the column."""
    console = errors()
    for problem in problems:
        style = "bold red" if problem.severity == "error" else "yellow"
        text = f"{problem.message} {problem.suggestion}".rstrip() if problem.suggestion else problem.message
        console.print(f"{safe(problem.position)}: [{style}]{problem.severity}[/]: {safe(text)}")
        line = _line_of(problem)
        if line is not None:
            number = str(problem.position.line)
            # Tabs keep their width in front of the caret when they are kept as tabs.
            lead = "".join("\t" if c == "\t" else " " for c in line[: problem.position.column - 1])
            console.print(f"  [dim]{number} |[/] {escape(line.rstrip())}")
            console.print(f"  {' ' * len(number)} [dim]|[/] {lead}[{style}]^[/]")


def _line_of(problem: Problem) -> str | None:
    try:
        with problem.position.file.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if number == problem.position.line:
                    return line if len(line) <= 400 else None
    except OSError:
        return None
    return None
