"""`smm-rules logs`: the daemon's log, readable, and only what is asked for."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click

from smm_rules.cli.logs.asked import LEVELS, Asked, Picking
from smm_rules.cli.logs.line import Line
from smm_rules.cli.logs.showing import shown
from smm_rules.cli.logs.sources import Journal, follow_file, lines_of, lines_of_file, wait_a_little
from smm_rules.cli.moments import moment_before
from smm_rules.clock import SystemClock
from smm_rules.observe.event import Event
from smm_rules.observe.render import escaped

_STANDARD_INPUT = Path("-")
#: How much is shown of what was there already, when what comes is followed.
_BEFORE_FOLLOWING = 20


@click.command("logs")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--unit", default="smm-rules", show_default=True, help="Whose journal, when no FILE is given.")
@click.option("--order", default="", metavar="[PANEL/]ID", help="Only about this order.")
@click.option("--rule", default="", help="Only about this rule.")
@click.option("--panel", default="", help="Only about this panel.")
@click.option("--event", default="", metavar="NAME", help="Only this event; action.* for all of an area.")
@click.option("--correlation", default="", metavar="ID", help="Only one episode, from condition to message.")
@click.option("--level", type=click.Choice(LEVELS), default=None, help="Only as grave as this, or graver.")
@click.option("--since", metavar="TIME", help="Only from then on: 2h, 2026-03-01, 2026-03-01T12:00Z.")
@click.option("--lines", "-n", type=click.IntRange(min=0), help="Only the last N that are there.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what is written from now on; Ctrl-C ends it.")
@click.option("--explain", is_flag=True, help="After a warning or an error: what it means and what to do.")
@click.option("--json", "as_json", is_flag=True, help="Write the lines as they are, for scripts.")
def command(
    files: tuple[Path, ...],
    unit: str,
    order: str,
    rule: str,
    panel: str,
    event: str,
    correlation: str,
    level: str | None,
    since: str | None,
    lines: int | None,
    follow: bool,
    explain: bool,
    as_json: bool,
) -> None:
    """Show the daemon's log readably, from the journal, from FILEs, or from standard input (-).

    Lines that are no events are shown as they are. Followed, the last 20 lines come first unless --lines or
    --since says otherwise.
    """
    if follow and len(files) > 1:
        raise click.UsageError("Only one FILE can be followed.")
    start = moment_before(since, SystemClock().now()) if since is not None else None
    picking = Picking(Asked(order, rule, panel, event, correlation, level or "", start))
    if lines is None and follow and start is None and files != (_STANDARD_INPUT,):
        lines = _BEFORE_FOLLOWING
    out = Output(_catalogue() if explain else None, as_json, _is_coloured())
    source = _Source(files, unit, picking, follow)
    out.write(_last(source.there(), lines))
    if follow:
        out.write(source.coming())
    if not files and not source.found:
        click.echo(
            f"The journal has nothing of the unit {unit}. Another unit: --unit; a file: name it.", err=True
        )
    if picking.passed_over:
        count = picking.passed_over
        told = "line is no event and doesn't name" if count == 1 else "lines are no events and don't name"
        click.echo(f"{count:,} {told} what was asked for.", err=True)


class _Source:
    """The lines that are there, and those that come after them."""

    def __init__(self, files: tuple[Path, ...], unit: str, picking: Picking, follow: bool) -> None:
        self._picking = picking
        self._cursor = ""
        self.found = False
        self._journal = Journal(unit, picking.asked.since) if not files else None
        self._file = (
            follow_file(files[0], wait_a_little) if follow and files != () and not _is_input(files) else None
        )
        self._files = files

    def there(self) -> Iterator[Line]:
        """What was asked for of that which is there by now; standard input to its end."""
        return filter(self._picking.wants, self._there())

    def _there(self) -> Iterator[Line]:
        if self._journal is not None:
            for line in self._journal.lines():
                self.found = True
                self._cursor = line.cursor or self._cursor
                yield line
        elif self._file is not None:
            for found in self._file:
                if found is None:
                    return
                yield found
        else:
            yield from chain.from_iterable(map(_of, self._files))

    def coming(self) -> Iterator[Line]:
        """What was asked for of that which comes."""
        following: Iterable[Line | None] = self._file or ()
        if self._journal is not None:
            following = self._journal.follow(self._cursor)
        return (line for line in following if line is not None and self._picking.wants(line))


def _is_input(files: tuple[Path, ...]) -> bool:
    return _STANDARD_INPUT in files


def _of(path: Path) -> Iterator[Line]:
    return lines_of(sys.stdin.buffer) if path == _STANDARD_INPUT else lines_of_file(path)


def _last(found: Iterator[Line], count: int | None) -> Iterable[Line]:
    return found if count is None else deque(found, maxlen=count)


@dataclass(frozen=True, slots=True)
class Output:
    """Writes lines as soon as they are there."""

    explained: Mapping[str, Event] | None
    as_json: bool
    coloured: bool

    def write(self, lines: Iterable[Line]) -> None:
        """Write each line as it comes."""
        for line in lines:
            if self.as_json:
                text = (
                    escaped(line.text) if line.event else json.dumps({"text": line.text}, ensure_ascii=False)
                )
            else:
                text = shown(line, coloured=self.coloured, explained=self.explained)
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()


def _is_coloured() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _catalogue() -> Mapping[str, Event]:
    from smm_rules.observe.catalogue import catalogue

    return catalogue()
