"""A sweep over many orders beside the same requests by bare httpx: `python -m benchmarks.sweep`.

The product's way: due orders from the ledger, panel client, facts, 20 rules, one durable transaction a
sweep, as the daemon does it but without the panel's request budget. The bare way: the same requests with as
many at once, the answers parsed as JSON and dropped. Both against one simulator in its own process.

Each round sweeps three times, a bare run before each: nothing changed since a sweep at which a tenth had;
nothing changed since that one, so that whole answers are repeated; a tenth changed.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from benchmarks.measure import Row, Timing, arguments_of, median, spread, tell, timed
from benchmarks.panel import PanelProcess, panel_process
from smm_rules.facts import Entity, EntityKind
from smm_rules.garbage import look_seldom
from smm_rules.ledger.records import NewOrder
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.observe.counters import Counters
from smm_rules.panel.batches import batches
from smm_rules.panel.client import PanelClient
from smm_rules.panel.endpoint import Endpoint
from smm_rules.polling.balance import look_at_balance
from smm_rules.polling.catalogue import look_at_catalogue
from smm_rules.polling.decisions import Belts
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.standing import Standing
from smm_rules.polling.watch import Pace, PanelWatch
from smm_rules.rules.loader import load_rules

PANEL = "main"
CONNECTIONS = 4
SWEEP_SIZE = 2_000
INTERVAL = timedelta(minutes=5)
CHANGING_SHARE = 0.1
#: The number of the simulator's first order, and how many an import takes at once.
FIRST_ORDER, TRACKED_AT_ONCE = 1001, 5_000
SERVICES, QUANTITY = 5, "1000"
NO_BUDGET = 10**9
RULES = Path(__file__).with_name("rules.yaml")


@dataclass(slots=True)
class SteppedClock:
    """The machine's clock, moved on by hand to where the orders are due again."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds()


@dataclass(slots=True)
class Rounds:
    """The timings of every round."""

    bare: list[Timing] = field(default_factory=list)
    unchanged: list[Timing] = field(default_factory=list)
    unchanged_again: list[Timing] = field(default_factory=list)
    changed: list[Timing] = field(default_factory=list)
    first: Timing | None = None


async def ask_barely(panel: PanelProcess, ids: Sequence[str]) -> int:
    """Ask about all `ids` with httpx and nothing else; how many answers there were."""
    waiting = batches(ids)
    answers = 0

    async def work(client: httpx.AsyncClient) -> None:
        nonlocal answers
        for batch in waiting:
            form = {"key": panel.key, "action": "status", "orders": ",".join(batch)}
            answer = await client.post(panel.url, data=form)
            answers += len(answer.json())

    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as client, asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(work(client))
    return answers


async def sweep_all(watch: PanelWatch) -> int:
    """Sweep until nothing is due; how many orders were answered."""
    total = 0
    while answered := await sweep_orders(watch):
        total += answered
    return total


async def track(ledger: SqliteLedger, ids: Sequence[str], now: datetime) -> None:
    for first in range(0, len(ids), TRACKED_AT_ONCE):
        orders = [
            NewOrder(
                Entity(EntityKind.ORDER, PANEL, order),
                str(1 + int(order) % SERVICES),
                {"link": f"https://example.com/{order}", "quantity": QUANTITY},
                now - timedelta(days=1),
            )
            for order in ids[first : first + TRACKED_AT_ONCE]
        ]
        await ledger.track(orders, now)


@asynccontextmanager
async def watching(panel: PanelProcess, directory: Path, clock: SteppedClock) -> AsyncIterator[PanelWatch]:
    """All that a sweep needs, with catalogue and balance read."""
    rules = load_rules((RULES,)).rules
    endpoint = Endpoint(PANEL, panel.url, panel.key, NO_BUDGET, CONNECTIONS)
    async with await SqliteLedger.open(directory / "ledger.db") as ledger, PanelClient(endpoint) as client:
        watch = PanelWatch(
            panel=PANEL,
            client=client,
            ledger=ledger,
            standing=Standing(PANEL),
            pace=Pace(INTERVAL, INTERVAL, INTERVAL, timedelta(days=1), timedelta(days=1), SWEEP_SIZE),
            belts=Belts(live=True, gap=timedelta(hours=1)),
            clock=clock,
            counters=Counters(),
            rules=lambda: rules,
            voice=OperatorVoice(ledger, None),
            planned=lambda: None,
        )
        await watch.standing.load(ledger)
        await look_at_catalogue(watch)
        await look_at_balance(watch)
        yield watch


async def measure(orders: int, rounds: int, directory: Path) -> Rounds:
    """Run every round."""
    ids = [str(number) for number in range(FIRST_ORDER, FIRST_ORDER + orders)]
    clock, found = SteppedClock(), Rounds()
    with panel_process(f"steady:{orders}", CHANGING_SHARE) as panel:
        async with watching(panel, directory, clock) as watch:
            ledger = watch.ledger
            assert isinstance(ledger, SqliteLedger)

            async def bare() -> None:
                found.bare.append(await timed(lambda: _all(orders, lambda: ask_barely(panel, ids))))

            async def sweep() -> Timing:
                clock.ahead += INTERVAL + timedelta(minutes=1)
                return await timed(lambda: _all(orders, lambda: sweep_all(watch)))

            await track(ledger, ids, clock.now())
            found.first = await sweep()
            await sweep()  # whole looks at those for which a rule began to wait at the first
            for _ in range(rounds):
                for unchanged in (found.unchanged, found.unchanged_again):
                    await bare()
                    unchanged.append(await sweep())
                await bare()
                panel.advance(61)
                found.changed.append(await sweep())
    return found


async def _all(expected: int, work: Callable[[], Awaitable[int]]) -> None:
    """Run `work` and make sure that it was about all orders: a figure for less is worth nothing."""
    answered = await work()
    if answered != expected:
        raise RuntimeError(f"{answered} orders answered instead of {expected}")


def rows(found: Rounds, orders: int, rounds: int) -> list[Row]:
    command = f"python -m benchmarks.sweep --orders {orders} --rounds {rounds}"
    lines = [_seconds_row("the same requests by bare httpx, JSON parsed", found.bare, orders, command)]
    if found.first is not None:
        lines.append(_seconds_row("sweep, orders never seen before", [found.first], orders, command))
    # Each sweep beside the bare run just before it, for the machine may be busier a minute later.
    for what, timings, beside in (
        ("nothing changed", found.unchanged, found.bare[0::3]),
        ("nothing changed again", found.unchanged_again, found.bare[1::3]),
        ("a tenth changed", found.changed, found.bare[2::3]),
    ):
        lines.append(_seconds_row(f"sweep, 20 rules, {what}", timings, orders, command))
        pairs = list(zip(timings, beside, strict=True))
        ratios = [timing.wall / bare.wall for timing, bare in pairs]
        cpu = [timing.cpu / bare.cpu for timing, bare in pairs]
        figure = f"{median(ratios):.1f} × bare, CPU {median(cpu):.1f} ×"
        lines.append(Row(f"ratio, {what}", figure, spread(ratios, 1), command))
    return lines


def _seconds_row(what: str, timings: Sequence[Timing], orders: int, command: str) -> Row:
    walls = [timing.wall for timing in timings]
    cpu = median(timing.cpu for timing in timings)
    wall = median(walls)
    figure = f"{wall:.2f} s, CPU {cpu:.2f} s, {orders / wall:,.0f} orders/s"
    return Row(f"{what} ({orders:,})", figure, spread(walls), command)


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where to put the ledger (default: temporary files)")
    given = parser.parse_args()
    look_seldom()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=given.directory) as directory:
        found = asyncio.run(measure(given.orders, given.rounds, Path(directory)))
    tell(rows(found, given.orders, given.rounds), as_json=given.json)
    if not given.json:
        print(f"\n{time.perf_counter() - started:.0f} s in all")


if __name__ == "__main__":
    main()
