"""Both ledgers side by side: `python -m benchmarks.ledgers [--orders 100000] [--directory /var/tmp]`.

PostgreSQL is a server of its own on loopback, its files and SQLite's on the same disk, both with full
durability. First one process does the same work on each, then several processes claim at once. What a network
adds: a claim takes about 20 round trips, of which a sweep of 2,000 orders takes about as many.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.ledger import NOW, SWEEP, claims, firing, sweeps, track
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.ledger.records import Sweep
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.sqlite import SqliteLedger
from tests.postgres.fixtures import create_database
from tests.postgres.server import Server, binaries

EACH = 100
PROCESSES = (1, 2, 4, 8)

Open = Callable[[], Awaitable[SqlLedger]]


async def one_process(name: str, open_: Open, orders: int) -> None:
    print(f"\n{name}, one process")
    async with await open_() as ledger:
        await track(ledger, orders)
        numbers = range(0, orders, max(1, orders // SWEEP))[:SWEEP]
        await sweeps(ledger, numbers)
        await claims(ledger)


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
    parser.add_argument("--orders", type=int, default=100_000, help="orders to track first (at least 2,000)")
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
