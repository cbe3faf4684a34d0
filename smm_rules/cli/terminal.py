"""Where output goes: results to standard output, everything about them to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from smm_rules.document import Problem
from smm_rules.facts import Entity, format_duration

#: Wider than any table: what isn't read on a terminal is neither wrapped nor cut.
_UNBOUNDED = 10_000


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
    _write_json(json.dumps(plain(value), ensure_ascii=False, indent=2))


def print_json_line(value: object) -> None:
    """One JSON document on a line of standard output."""
    _write_json(json.dumps(plain(value), ensure_ascii=False))


def _write_json(text: str) -> None:
    from smm_rules.observe.render import escaped  # late: most commands need no logging

    # Line by line: JSON leaves C1 controls and direction marks as they are, and terminals obey them.
    sys.stdout.write("".join(f"{escaped(line)}\n" for line in text.split("\n")))


def counted(count: int, noun: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def safe(text: object) -> str:
    """Text from outside, fit for a table: no markup, no control characters."""
    printable = "".join(character if character.isprintable() else "·" for character in str(text))
    return escape(printable)


def new_table(*columns: str, title: str = "", whole: Sequence[str] = ()) -> Table:
    """A table without a frame: a script reads it as well as a human.

    On a narrow terminal cells are folded, never cut; those of the `whole` columns are folded last of all.
    """
    table = Table(
        *columns, title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    for column in table.columns:
        column.overflow = "fold"
        column.no_wrap = column.header in whole
    return table


def print_table(table: Table) -> None:
    """A table on standard output: within the width of a terminal, as wide as it is elsewhere."""
    if sys.stdout.isatty():
        output().print(table)
        return
    console = Console(width=_UNBOUNDED, highlight=False)
    with console.capture() as captured:
        console.print(table)
    sys.stdout.write("".join(line.rstrip() + "\n" for line in captured.get().splitlines()))


def seen_from_here(path: Path) -> Path:
    """A path below the working directory without the way to it; any other, or seen from `/`, as it is."""
    here = Path.cwd()
    below = here != Path(here.anchor) and path.is_relative_to(here)
    return path.relative_to(here) if below else path


def print_problems(problems: Sequence[Problem], console: Console | None = None) -> None:
    """Each problem with its place, its line and a caret below the column."""
    console = console or errors()
    for problem in problems:
        style = "bold red" if problem.severity == "error" else "yellow"
        text = f"{problem.message}. {problem.suggestion}" if problem.suggestion else problem.message
        place = replace(problem.position, file=seen_from_here(problem.position.file))
        console.print(f"{safe(place)}: [{style}]{problem.severity}[/]: {safe(text)}")
        line = _line_of(problem)
        if line is not None:
            number = str(problem.position.line)
            # Tabs keep their width in front of the caret when they are kept as tabs.
            lead = "".join("\t" if c == "\t" else " " for c in line[: problem.position.column - 1])
            console.print(f"  [dim]{number} |[/] {safe_line(line)}", soft_wrap=True)
            console.print(f"  {' ' * len(number)} [dim]|[/] {lead}[{style}]^[/]", soft_wrap=True)


def safe_line(line: str) -> str:
    """A line of a file as it is, tabs kept, without markup and control characters."""
    return "\t".join(safe(piece) for piece in line.rstrip().split("\t"))


def _line_of(problem: Problem) -> str | None:
    try:
        with problem.position.file.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if number == problem.position.line:
                    return line if len(line) <= 400 else None
    except OSError:
        return None
    return None
