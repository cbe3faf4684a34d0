"""Both ledgers side by side: `python -m benchmarks.ledgers [--orders 50000] [--directory /var/tmp]`.

PostgreSQL is a server of its own on loopback, its files and SQLite's on the same disk, both with full
durability. First one process does the same work on each, then several processes claim at once. What a network
adds to that: a planned action takes 11 round trips, a claim 10, a sweep of any size about ten.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from statistics import median

from benchmarks.ledger import NOW, PARAMETERS, entity, firing, sweep
from smm_rules.facts import EntityKind
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.ledger.records import NewOrder, Sweep
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.sqlite import SqliteLedger
from tests.postgres.fixtures import create_database
from tests.postgres.server import Server, binaries

EACH = 100
RUNS, TEN, THOUSAND = 20, 10, 1_000
DAY = timedelta(days=1)
PROCESSES = (1, 2, 4, 8)

Open = Callable[[], Awaitable[SqlLedger]]


async def one_process(name: str, open_: Open, orders: int) -> None:
    print(f"\n{name}, one process{'':35} best        median")
    async with await open_() as ledger:
        figures = await _decisions(ledger) | await _looks(ledger, orders)
    for what, seconds in figures.items():
        print(f"{what:<44} {1 / min(seconds):>10,.0f} /s  {1 / median(seconds):>10,.0f} /s")


async def _decisions(ledger: SqlLedger) -> dict[str, list[float]]:
    """Seconds for one, of many runs: on a machine that is busy otherwise the best tells most."""
    planning, claiming = list[float](), list[float]()
    for run in range(RUNS):
        firings = tuple(firing(run * TEN + number) for number in range(TEN))
        began = time.perf_counter()
        recorded = await ledger.record(Sweep(NOW, firings=firings))
        planning.append((time.perf_counter() - began) / TEN)
        for intent_id in recorded.intents:
            began = time.perf_counter()
            assert await ledger.claim(intent_id, "benchmark", NOW, {})
            claiming.append(time.perf_counter() - began)
    return {"actions planned, ten firings in a sweep": planning, "claims, one durable commit each": claiming}


async def _looks(ledger: SqlLedger, orders: int) -> dict[str, list[float]]:
    tracking, looking, finding = list[float](), list[float](), list[float]()
    for first in range(0, orders, THOUSAND):
        given = [NewOrder(entity(number), "42", PARAMETERS) for number in range(first, first + THOUSAND)]
        began = time.perf_counter()
        await ledger.track(given, NOW)
        tracking.append((time.perf_counter() - began) / THOUSAND)
    for run in range(RUNS):
        seen = sweep(range(THOUSAND), run, True, NOW + timedelta(minutes=run))
        began = time.perf_counter()
        await ledger.record(seen)
        looking.append((time.perf_counter() - began) / THOUSAND)
        began = time.perf_counter()
        assert len(await ledger.due(EntityKind.ORDER, "north", NOW + DAY, THOUSAND)) == THOUSAND
        finding.append((time.perf_counter() - began) / THOUSAND)
    return {
        "orders tracked, 1,000 at a time": tracking,
        "changed orders recorded, 1,000 in a sweep": looking,
        "due orders found with their facts, 1,000": finding,
    }


async def _plan(open_: Open, first: int, count: int) -> list[int]:
    async with await open_() as ledger:
        sweep = Sweep(NOW, firings=tuple(firing(first + number) for number in range(count)))
        return list((await ledger.record(sweep)).intents)


def _claim(open_: Open, ids: list[int], begin: object, done: object) -> None:
    async def run() -> None:
        async with await open_() as ledger:
            await ledger.open_hold()  # connected before the clock starts
            begin.wait()  # type: ignore[attr-defined]
            for intent_id in ids:
                assert await ledger.claim(intent_id, f"benchmark {ids[0]}", NOW, {})
            done.wait()  # type: ignore[attr-defined]

    asyncio.run(run())


def several_processes(name: str, open_: Open) -> None:
    print(f"\n{name}, {EACH} claims by each of several processes")
    forked = multiprocessing.get_context("fork")
    first, alone = 1_000_000, 0.0
    for processes in PROCESSES:
        ids = asyncio.run(_plan(open_, first, EACH * processes))
        first += EACH * processes
        begin, done = forked.Barrier(processes + 1), forked.Barrier(processes + 1)
        shares = [ids[number::processes] for number in range(processes)]
        workers = [forked.Process(target=_claim, args=(open_, share, begin, done)) for share in shares]
        for worker in workers:
            worker.start()
        begin.wait()
        started = time.perf_counter()
        done.wait()
        rate = EACH * processes / (time.perf_counter() - started)
        for worker in workers:
            worker.join()
        alone = alone or rate
        print(f"{processes:>3} processes {rate:>10,.0f} claims/s   {rate / alone:.2f} times one")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders", type=int, default=50_000, help="orders to track (thousands)")
    parser.add_argument("--directory", type=Path, default=Path("/var/tmp"), help="where both ledgers are put")
    arguments = parser.parse_args()
    programs = binaries()
    if programs is None:
        parser.error("there is no PostgreSQL server here (Debian: apt-get install postgresql-15)")
    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        server = Server(programs, arguments.directory)
        try:
            server.start()
            create_database(server, "benchmark")
            access, home = Access(server.url("benchmark")), Path(directory)
            backs: dict[str, Open] = {
                "SQLite": lambda: SqliteLedger.open(home / "ledger.db"),
                "PostgreSQL": lambda: PostgresLedger.open(access, home / "stamp"),
            }
            for name, open_ in backs.items():
                asyncio.run(one_process(name, open_, arguments.orders))
            for name, open_ in backs.items():
                several_processes(name, open_)
        finally:
            server.remove()


if __name__ == "__main__":
    main()
