"""`smm-rules orders import`: watch every order of a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    open_ledger,
    operator_name,
    read_configuration,
)
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.naming import default_panel, panel_option, panels_of, time_zone_option
from smm_rules.cli.terminal import errors, output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.intake import BadLine, IntakeOptions, Line, SourceRefused
from smm_rules.intake.drop_report import BadLines
from smm_rules.intake.importing import ImportProgress, ImportReport, import_orders
from smm_rules.intake.order_file import Format, OrderFile
from smm_rules.intake.readers import read_json_lines, read_separated, read_yaml_list

_SHOWN = 20
_READERS = {Format.CSV: read_separated, Format.JSON_LINES: read_json_lines, Format.YAML: read_yaml_list}


class StandardInput:
    """Orders from standard input, streamed. How long it will be isn't known, so `size` stays 0."""

    size = 0
    bytes_read = 0

    def __init__(self, file: BinaryIO, format: Format, options: IntakeOptions) -> None:
        self._lines = _READERS[format](file, options)

    def __iter__(self) -> Iterator[Line]:
        return self._lines


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE")
@panel_option
@click.option(
    "--format",
    "format_name",
    type=click.Choice([known.value for known in Format]),
    help="What FILE is written in; by default its name says it.",
)
@time_zone_option
@click.option("--ignore", "ignored", multiple=True, metavar="COLUMN", help="Pass over a column. Repeatable.")
@click.option(
    "--bad",
    "bad_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the bad lines to this file, each below its reason.",
)
@config_option
@json_option
@asynchronous
async def import_file(
    file: Path,
    panel: str | None,
    format_name: str | None,
    time_zone: ZoneInfo | None,
    ignored: tuple[str, ...],
    bad_path: Path | None,
    config_path: Path | None,
    as_json: bool,
) -> int:
    """Watch every order of FILE (CSV, JSON Lines or YAML; `-` is standard input).

    A bad line is reported and the rest kept; the exit code is 1 then. A known order is left as it is, so an
    import that was cut short may simply be run again.
    """
    configuration = read_configuration(config_path)
    now = SystemClock().now()
    options = IntakeOptions(
        now,
        panels_of(configuration),
        default_panel(panel, configuration),
        time_zone,
        frozenset(ignored),
    )
    format = None if format_name is None else Format(format_name)
    with ExitStack() as stack:
        source = _source(file, format, options, stack)
        on_bad = _on_bad(bad_path, file, stack)
        async with open_ledger(configuration) as ledger:
            with _progress() as on_progress:
                try:
                    report = await import_orders(source, ledger, now, on_progress, on_bad, by=operator_name())
                except SourceRefused as refusal:
                    raise Stop(f"{file}: {refusal}", Exit.USAGE) from None
    _tell(report, file, bad_path, as_json)
    return int(Exit.FAILED if report.bad else Exit.DONE)


def _source(
    file: Path, format: Format | None, options: IntakeOptions, stack: ExitStack
) -> OrderFile | StandardInput:
    if str(file) == "-":
        if format is None:
            raise Stop(
                "Standard input has no name to tell its format: say --format csv, jsonl or yaml.", Exit.USAGE
            )
        return StandardInput(sys.stdin.buffer, format, options)
    try:
        return stack.enter_context(OrderFile(file, options, format))
    except SourceRefused as refusal:
        way_out = " Or say --format" if format is None and file.is_file() else ""
        raise Stop(f"{file}: {refusal}{way_out}", Exit.USAGE) from None


def _on_bad(path: Path | None, source: Path, stack: ExitStack) -> Callable[[Sequence[BadLine]], None]:
    """What takes the bad lines; an earlier file of that name is replaced, but never the source itself."""
    if path is None:
        return lambda _: None
    if path.exists() and source.exists() and path.samefile(source):
        raise Stop(f"--bad {path} is the file to be imported; name another one.", Exit.USAGE)
    with _written_to(path):
        bad_lines = stack.enter_context(BadLines(path))

    def add(lines: Sequence[BadLine]) -> None:
        with _written_to(path):
            bad_lines.add(lines)

    return add


@contextmanager
def _written_to(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Stop(f"The bad lines can't be written to {path}: {error.strerror}.") from error


@contextmanager
def _progress() -> Iterator[Callable[[ImportProgress], None]]:
    """A bar on standard error where that is a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[orders]:,} orders, {task.fields[bad]:,} bad"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors(), transient=True) as bar:
        task = bar.add_task("", total=None, orders=0, bad=0)

        def show(so_far: ImportProgress) -> None:
            bar.update(
                task,
                total=so_far.size or None,
                completed=so_far.bytes_read,
                orders=so_far.added + so_far.known,
                bad=so_far.bad,
            )

        yield show


def _tell(report: ImportReport, file: Path, bad_path: Path | None, as_json: bool) -> None:
    console = errors()
    for line in report.bad_lines[:_SHOWN]:
        console.print(f"{safe(file)}: {safe(line)}")
    if report.bad > _SHOWN:
        where = f"all are in {bad_path}" if bad_path else "write them all to a file with --bad FILE"
        console.print(f"… and {report.bad - _SHOWN:,} more; {safe(where)}.")
    if as_json:
        print_json(
            {
                "added": report.added,
                "known": report.known,
                "bad": report.bad,
                "bad_lines": [
                    {"line": line.line, "what": line.what, "to_do": line.to_do}
                    for line in report.bad_lines[:_SHOWN]
                ],
                "bad_file": bad_path if report.bad else None,
            }
        )
        return
    output().print(f"{report.added:,} new, {report.known:,} known already, {report.bad:,} bad.")
