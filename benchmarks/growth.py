"""How costs grow, as curves: `python -m benchmarks.growth docs/growth`.

- orders: what 10,000 due orders cost among more and more that aren't due, and what a heartbeat does;
- history: what a sweep costs whose orders have more and more history;
- panels: what a tick costs with more and more panels of which none has anything due.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

import apsw

from benchmarks.measure import median, timed
from benchmarks.panel import panel_process
from benchmarks.plot import Points, chart
from benchmarks.sweep import FIRST_ORDER, INTERVAL, PANEL, SteppedClock, sweep_all, track, watching
from benchmarks.tracked import SIZES, run_apart
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.polling.orders import sweep_orders

MILLI = 1000.0
HISTORIES = (1, 10, 100)
HISTORY_ORDERS, CHANGING = 5_000, 0.1
PANELS = (1, 10, 100, 1_000)
TICKS = 5


def by_orders(parent: Path) -> dict[str, Points]:
    found = {orders: run_apart(orders, 3, parent) for orders in SIZES}
    return {
        "sweep of 10,000 due, CPU": [(n, median(one["sweep"]) * MILLI) for n, one in found.items()],
        "totals of a heartbeat": [(n, median(one["totals"]) * MILLI) for n, one in found.items()],
    }


async def by_history(parent: Path) -> dict[str, Points]:
    """Sweeps of which a tenth of the orders changed, over ledgers with so many entries an order."""
    points = []
    for entries in HISTORIES:
        directory = parent / f"history-{entries}"
        directory.mkdir()
        ids = [str(number) for number in range(FIRST_ORDER, FIRST_ORDER + HISTORY_ORDERS)]
        clock = SteppedClock()
        with panel_process(f"steady:{HISTORY_ORDERS}", CHANGING) as panel:
            async with watching(panel, directory, clock) as watch:
                assert isinstance(watch.ledger, SqliteLedger)
                await track(watch.ledger, ids, clock.now())
                await sweep_all(watch)
                _add_history(directory / "ledger.db", entries)
                cpu = []
                for _ in range(5):
                    panel.advance(61)
                    clock.ahead += INTERVAL + timedelta(minutes=1)
                    cpu.append((await timed(lambda: sweep_all(watch))).cpu * MILLI)
        points.append((float(entries), median(cpu)))
    return {f"sweep of {HISTORY_ORDERS:,}, a tenth changed, CPU": points}


def _add_history(path: Path, entries: int) -> None:
    """Give each order's history so many further entries of times gone by."""
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(60_000)
    with connection:
        for entry in range(entries):
            statement = "INSERT INTO history (entity, at, facts) SELECT entity, ?, facts FROM facts"
            connection.execute(statement, (entry,))
    connection.close()


async def by_panels(parent: Path) -> dict[str, Points]:
    """One look for due orders at each of so many panels; what finds nothing is all that a tick costs."""
    points = []
    directory = parent / "panels"
    directory.mkdir()
    with panel_process("steady:1000") as panel:
        async with watching(panel, directory, SteppedClock()) as watch:
            assert isinstance(watch.ledger, SqliteLedger)
            await track(
                watch.ledger, [str(FIRST_ORDER + number) for number in range(1000)], watch.clock.now()
            )
            await sweep_all(watch)
            for panels in PANELS:
                cpu = []
                for _ in range(TICKS):

                    async def tick(count: int = panels) -> None:
                        for _ in range(count):
                            await sweep_orders(watch)

                    cpu.append((await timed(tick)).cpu * MILLI)
                points.append((float(panels), median(cpu)))
    return {f"a tick, nothing due on any panel (as {PANEL}), CPU": points}


async def curves(parent: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name, title, across, found in (
        ("history", "A sweep as history grows", "entries of history an order", await by_history(parent)),
        ("panels", "A tick as panels are added", "panels", await by_panels(parent)),
        ("orders", "A sweep as orders are added that aren't due", "orders tracked", by_orders(parent)),
    ):
        drawn = chart(title, across, "milliseconds", found)
        (target / f"{name}.svg").write_text(drawn, encoding="utf-8")
        print(
            name, {what: [(x, round(y, 1)) for x, y in points] for what, points in found.items()}, flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("target", type=Path, help="the directory for the charts")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as parent:
        asyncio.run(curves(Path(parent), given.target))


if __name__ == "__main__":
    main()
