"""Taking orders in from CSV: `python -m benchmarks.intake [--orders 100000 1000000]`.

The reader, the checks and the SQLite ledger as `smm-rules orders import` uses them, onto a new ledger with
full durability. Each size runs in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measure import Row, arguments_of, median, spread, tell
from smm_rules.intake.importing import import_orders
from smm_rules.intake.lines import IntakeOptions
from smm_rules.intake.order_file import OrderFile
from smm_rules.ledger.sqlite import SqliteLedger

SIZES = (100_000, 1_000_000)
PANEL = "main"
_MIB_IN_KIB = 1024


def write_orders(path: Path, count: int) -> None:
    """The CSV an operator would export: `count` orders of the past month."""
    now = datetime.now(UTC)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["order", "service", "link", "quantity", "placed_at", "label"])
        for number in range(count):
            placed_at = (now - timedelta(seconds=60 + number % 2_592_000)).isoformat(timespec="seconds")
            link = f"https://example.com/p/C{number:x}"
            writer.writerow(
                [100_000_000 + number, 1 + number % 200, link, 1000, placed_at, f"batch {number % 90}"]
            )


async def take_in(source: Path, ledger_path: Path) -> int:
    now = datetime.now(UTC)
    options = IntakeOptions(now=now, panels=(PANEL,), default_panel=PANEL)
    async with await SqliteLedger.open(ledger_path) as ledger:
        with OrderFile(source, options) as file:
            report = await import_orders(file, ledger, now)
    if report.bad:
        raise RuntimeError(f"{report.bad} bad lines, the first {report.bad_lines[0]}")
    return report.added


def run_once(source: Path, directory: Path) -> dict[str, float]:
    """Import on a new ledger; seconds by the wall and of CPU, peak MiB, size of the ledger in bytes."""
    ledger_path = directory / "ledger.db"
    started, cpu = time.perf_counter(), time.process_time()
    added = asyncio.run(take_in(source, ledger_path))
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB_IN_KIB
    return {"added": added, "wall": wall, "cpu": cpu, "peak": peak, "bytes": ledger_path.stat().st_size}


def run_apart(source: Path, parent: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=parent) as directory:
        command = [
            sys.executable,
            "-m",
            "benchmarks.intake",
            "--source",
            str(source),
            "--directory",
            directory,
        ]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def size_row(count: int, runs: int, parent: Path) -> Row:
    source = parent / f"orders-{count}.csv"
    write_orders(source, count)
    found = [run_apart(source, parent) for _ in range(runs)]
    source.unlink()
    if any(one["added"] != count for one in found):
        raise RuntimeError(f"not all {count} orders were taken in")
    walls = [one["wall"] for one in found]
    wall, peak = median(walls), median(one["peak"] for one in found)
    figure = (
        f"{wall:.1f} s, {count / wall:,.0f} orders/s, CPU {median(one['cpu'] for one in found):.1f} s, "
        f"peak {peak:.0f} MiB, ledger {found[0]['bytes'] / 1e6:,.0f} MB"
    )
    return Row(
        f"import of {count:,} orders from CSV",
        figure,
        spread(walls),
        f"python -m benchmarks.intake --orders {count}",
    )


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--orders", type=int, nargs="+", default=SIZES)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to put files (default: temporary ones)")
    parser.add_argument("--source", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.source is not None:
        print(json.dumps(run_once(given.source, given.directory)))
        return
    with tempfile.TemporaryDirectory(dir=given.directory) as parent:
        rows = [size_row(count, given.runs, Path(parent)) for count in given.orders]
    tell(rows, as_json=given.json)


if __name__ == "__main__":
    main()
