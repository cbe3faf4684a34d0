"""How fast the SQLite ledger is on this machine: `python benchmarks/ledger.py [--orders 1000000]`.

Everything is written to a real file with full durability, in a directory of `--directory` (the system's
temporary one by default; on a RAM disk the numbers mean nothing). Claims are one durable commit each, so
they measure the disk's flush.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from smm_rules.engine.firing import Continuation, Firing, IntentDraft, Occasion
from smm_rules.engine.memory import BLANK, Memory
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.records import NewOrder, Observed, PlannedFiring, Remembered, Sweep
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rules.model import Step, StepKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SWEEP = 2_000
BATCH = 10_000
CLAIMS = 500
PARAMETERS = {"link": "https://example.com/p/Cabc123", "quantity": "1000"}


def entity(number: int) -> Entity:
    return Entity(EntityKind.ORDER, "north", str(100_000_000 + number))


def facts(number: int, remains: int) -> Facts:
    """As many facts as a real order has."""
    return {
        "id": entity(number).id,
        "status": "In progress",
        "status_known": True,
        "remains": remains,
        "start_count": 3572,
        "charge": Decimal("0.27819"),
        "currency": "USD",
        "error": "",
        "quantity": 1000,
        "link": PARAMETERS["link"],
        "label": "",
        "delivered": 1000 - remains,
        "progress": Decimal(1000 - remains) / 1000,
        "placed_at": NOW,
        "tracked_at": NOW,
        "changed_at": NOW,
        "status_since": NOW,
        "refills": 0,
        "chain_depth": 0,
    }


@contextmanager
def timed(what: str, count: int) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds = time.perf_counter() - started
    print(f"{what:<58} {count / seconds:>12,.0f} /s   ({seconds:.3f} s for {count:,})")


async def track(ledger: SqlLedger, count: int) -> None:
    with timed(f"orders tracked, {BATCH:,} at a time", count):
        for first in range(0, count, BATCH):
            batch = range(first, min(first + BATCH, count))
            await ledger.track([NewOrder(entity(number), "42", PARAMETERS) for number in batch], NOW)


def sweep(numbers: range, remains: int, changed: bool, at: datetime) -> Sweep:
    due_at = at + timedelta(minutes=5)
    return Sweep(at, tuple(Observed(entity(n), facts(n, remains), changed, due_at) for n in numbers))


async def sweeps(ledger: SqlLedger, numbers: range) -> None:
    later = NOW + timedelta(minutes=5)
    first, same, new = (
        sweep(numbers, remains, changed, later + timedelta(minutes=index))
        for index, (remains, changed) in enumerate(((500, True), (500, False), (400, True)))
    )
    with timed("orders due, with facts", SWEEP):
        due = await ledger.due(EntityKind.ORDER, "north", NOW, SWEEP)
    assert len(due) == SWEEP
    with timed("memories read (none)", SWEEP):
        await ledger.memories([watched.entity for watched in due])
    for what, one in (("first seen", first), ("unchanged", same), ("changed", new)):
        with timed(f"observations recorded, {SWEEP:,} {what}", SWEEP):
            await ledger.record(one)
    memory = Memory(true_since=later)
    remembered = tuple(Remembered("refill-partial", entity(n), memory) for n in numbers)
    with timed(f"memories recorded, {SWEEP:,}", SWEEP):
        await ledger.record(Sweep(later, remembered=remembered))


def firing(number: int) -> PlannedFiring:
    subject = entity(number)
    draft = IntentDraft("do.0", StepKind.REFILL, "north", {})
    what = Firing(
        rule="refill-partial",
        rule_version="v1",
        entity=subject,
        root=subject,
        episode=NOW,
        occasion=Occasion.FIRED,
        ordinal=0,
        at=NOW,
        facts=facts(number, 157),
        steps=(Step(StepKind.REFILL), Step(StepKind.NOTIFY, {"channel": "ops", "message": "refill asked"})),
        otherwise=(),
    )
    return PlannedFiring(what, Continuation(intent=draft, finished=False), BLANK)


async def claims(ledger: SqlLedger) -> None:
    with timed(f"firings planned, {CLAIMS} in one sweep", CLAIMS):
        await ledger.record(Sweep(NOW, firings=tuple(firing(number) for number in range(CLAIMS))))
    planned = await ledger.claimable(NOW, CLAIMS)
    assert len(planned) == CLAIMS
    with timed("claims, one durable commit each", CLAIMS):
        for intent in planned:
            assert await ledger.claim(intent.id, "benchmark", NOW, {})


async def run(directory: Path, orders: int) -> None:
    path = directory / "ledger.db"
    async with await SqliteLedger.open(path) as ledger:
        description = await ledger.describe()
        print(f"SQLite {description.library}, journal {description.journal}, {path}")
        await track(ledger, orders)
        numbers = range(0, orders, max(1, orders // SWEEP))[:SWEEP]
        await sweeps(ledger, numbers)
        await claims(ledger)
        with timed("totals", 1):
            totals = await ledger.totals(NOW)
        with timed("quick check of the whole file", 1):
            assert await ledger.integrity() == ()
        size = (await ledger.describe()).size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{totals.orders:,} orders, file {size / 1e6:,.0f} MB, peak resident memory {peak:,.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders", type=int, default=100_000, help="orders to track first (at least 2,000)")
    parser.add_argument("--directory", type=Path, help="where to put the ledger while measuring")
    arguments = parser.parse_args()
    if arguments.orders < SWEEP:
        parser.error(f"--orders must be at least {SWEEP}")
    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        asyncio.run(run(Path(directory), arguments.orders))


if __name__ == "__main__":
    main()
