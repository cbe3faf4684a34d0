"""What every benchmark shares: repeated timings, one row of the table a figure, and a word on the machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import apsw

#: A command's rows as JSON, for `python -m benchmarks` to gather.
JSON_FLAG = "--json"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, the figure, its spread, and the command that remakes it."""

    what: str
    figure: str
    spread: str
    command: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one run: by the wall clock, and of this process's CPU in all its threads."""

    wall: float
    cpu: float


async def timed(work: Callable[[], Awaitable[object]]) -> Timing:
    """How long `work` took."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return Timing(time.perf_counter() - wall, time.process_time() - cpu)


def timed_plainly(work: Callable[[], object]) -> Timing:
    """How long `work`, which doesn't wait, took."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Timing(time.perf_counter() - wall, time.process_time() - cpu)


def median(values: Iterable[float]) -> float:
    return statistics.median(list(values))


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The smallest and largest of several runs, and how many there were."""
    return f"{min(values):,.{digits}f}–{max(values):,.{digits}f}, {len(values)} runs"


def machine() -> str:
    """The machine and the versions that the figures belong to, in one line."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({_processor()}), {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}, load {load:.1f}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def table(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| measured | figure | spread | command |", "|---|---|---|---|"]
    lines += [f"| {row.what} | **{row.figure}** | {row.spread} | `{row.command}` |" for row in rows]
    return "\n".join(lines)


def arguments_of(description: str | None) -> argparse.ArgumentParser:
    """A parser with what every benchmark understands."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument(JSON_FLAG, action="store_true", help="write the rows as JSON")
    return parser


def tell(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print a benchmark's rows."""
    if as_json:
        print(json.dumps([asdict(row) for row in rows]))
    else:
        print(machine(), table(rows), sep="\n\n")
