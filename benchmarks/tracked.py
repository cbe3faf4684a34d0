"""What many tracked orders cost that aren't due: `python -m benchmarks.tracked`.

Of each number of tracked orders 10,000 are due. Measured in a process of its own for each: CPU of sweeping
these 10,000 (panel client, 20 rules, ledger) when nothing changed, the heartbeat's totals, what a reload that
changes a rule does to the ledger while no look is decided, and the process's memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import apsw

from benchmarks.measure import Row, Timing, arguments_of, median, spread, tell, timed
from benchmarks.panel import PanelProcess, panel_process
from benchmarks.sweep import (
    FIRST_ORDER,
    INTERVAL,
    PANEL,
    TRACKED_AT_ONCE,
    SteppedClock,
    sweep_all,
    track,
    watching,
)
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.codec import to_micros
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.polling.watch import PanelWatch

SIZES = (10_000, 100_000, 1_000_000)
DUE = 10_000
_MIB_IN_KIB = 1024


def put_off(path: Path, due: int, until: int) -> None:
    """All orders but the first `due` are due at `until`, in microseconds: they were looked at a while ago."""
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(60_000)
    statement = """
      UPDATE entities SET due_at = ?1 WHERE kind = 'order' AND CAST(name AS INTEGER) >= ?2
    """
    connection.execute(statement, (until, FIRST_ORDER + due))
    connection.close()


async def measure(orders: int, rounds: int, directory: Path, panel: PanelProcess) -> dict[str, list[float]]:
    clock = SteppedClock()
    found: dict[str, list[float]] = {"sweep": [], "wall": [], "totals": [], "reload": []}
    async with watching(panel, directory, clock) as watch:
        ledger = watch.ledger
        assert isinstance(ledger, SqliteLedger)
        numbers = range(FIRST_ORDER, FIRST_ORDER + orders)
        for start in range(0, orders, TRACKED_AT_ONCE):
            some = numbers[start : start + TRACKED_AT_ONCE]
            await track(ledger, [str(number) for number in some], clock.now())
        put_off(directory / "ledger.db", DUE, to_micros(clock.now() + timedelta(days=30)))
        await sweep_all(watch)
        for _ in range(rounds):
            clock.ahead += INTERVAL + timedelta(minutes=1)
            sweep = await timed(lambda: _all_due(watch))
            found["sweep"].append(sweep.cpu)
            found["wall"].append(sweep.wall)
            found["totals"].append((await timed(lambda: ledger.totals(clock.now()))).wall)
            found["reload"].append((await _reload(watch, ledger, clock)).wall)
    found["peak"] = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB_IN_KIB]
    return found


async def _all_due(watch: PanelWatch) -> None:
    answered = await sweep_all(watch)
    if answered != DUE:
        raise RuntimeError(f"{answered} orders answered instead of {DUE}")


async def _reload(watch: PanelWatch, ledger: SqliteLedger, clock: SteppedClock) -> Timing:
    """What a reload asks of the ledger while no look is decided: one rule rewritten, one edited."""

    async def work() -> None:
        async with watch.deciding:
            await ledger.end_holds(["nearly-untouched"])
            await ledger.wake(["refill-partial"], clock.now())

    timing = await timed(work)
    # The next round measures resting orders again: whose hold ended is looked at once more.
    await ledger.postpone([Entity(EntityKind.ORDER, PANEL, str(FIRST_ORDER))], clock.now())
    await sweep_all(watch)
    return timing


def run_apart(orders: int, rounds: int, parent: Path) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory(dir=parent) as directory:
        command = [
            sys.executable,
            "-m",
            "benchmarks.tracked",
            "--apart",
            str(orders),
            "--rounds",
            str(rounds),
        ]
        done = subprocess.run(
            [*command, "--directory", directory], check=True, capture_output=True, text=True
        )
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def rows(orders: int, found: dict[str, list[float]], first: dict[str, list[float]]) -> list[Row]:
    command = f"python -m benchmarks.tracked --orders {SIZES[0]} {orders}"
    ratio = median(found["sweep"]) / median(first["sweep"])
    sweep = f"CPU {median(found['sweep']):.2f} s, {ratio:.2f} × that of {SIZES[0]:,}"
    return [
        Row(f"{DUE:,} due of {orders:,} tracked, nothing changed", sweep, spread(found["sweep"]), command),
        Row(
            f"totals of a heartbeat, {orders:,} tracked",
            f"{median(found['totals']) * 1000:.0f} ms",
            spread([seconds * 1000 for seconds in found["totals"]], 0),
            command,
        ),
        Row(
            f"reload's work in the ledger, {orders:,} tracked",
            f"{median(found['reload']) * 1000:.0f} ms",
            spread([seconds * 1000 for seconds in found["reload"]], 0),
            command,
        ),
        Row(f"peak memory, {orders:,} tracked", f"{found['peak'][0]:.0f} MiB", "1 run", command),
    ]


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--orders", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to put files (default: temporary ones)")
    parser.add_argument("--apart", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.apart is not None:
        with panel_process(f"steady:{given.apart}") as panel:
            print(json.dumps(asyncio.run(measure(given.apart, given.rounds, given.directory, panel))))
        return
    with tempfile.TemporaryDirectory(dir=given.directory) as parent:
        measured = {orders: run_apart(orders, given.rounds, Path(parent)) for orders in given.orders}
    first = measured[given.orders[0]]
    tell(
        [row for orders, found in measured.items() for row in rows(orders, found, first)], as_json=given.json
    )


if __name__ == "__main__":
    main()
