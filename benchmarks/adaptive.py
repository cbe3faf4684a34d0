"""Adaptive polling beside polling at a fixed interval: `python -m benchmarks.adaptive [--orders 2000]`.

The daemon's own looks, rules and ledger over simulated time, against the simulator's orders: each has a
course that it takes whoever looks. For every way to poll: how many requests it spent, and how long after an
order's end the daemon knew of it, in the median and at the 95th percentile. Nothing here is measured by a
clock, so the figures are the same on every machine. `filled` is a fixed interval whose requests are filled
with those due next.

With `--every SECONDS` the panel lets itself be asked about 100 orders that often and no more, and `in due
order` is adaptive polling that takes the orders as they come due, all of them equally late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Row, arguments_of, tell
from smm_rules.engine.urgency import Bounds
from smm_rules.facts import Entity, EntityKind, order_status
from smm_rules.ledger.records import DueOrder, NewOrder
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.observe.counters import Counters
from smm_rules.panel.answers import Balance, OrderState, OrderStates, RefillStates, Service
from smm_rules.panel.batches import LARGEST_BATCH, batches
from smm_rules.panel.repeats import NOTHING_KNOWN
from smm_rules.polling.balance import look_at_balance
from smm_rules.polling.catalogue import look_at_catalogue
from smm_rules.polling.decisions import Belts
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.pacing import Backlog
from smm_rules.polling.standing import Standing
from smm_rules.polling.watch import Pace, PanelWatch
from smm_rules.rules.loader import load_rules
from smm_rules.simulator.course import Course, Script

PANEL, QUANTITY, SEED = "main", 1000, 7
T0 = datetime(2026, 3, 1, tzinfo=UTC)
TICK = timedelta(seconds=5)
#: New orders become known this often, all at once, as by a drop folder.
TAKEN_IN = timedelta(minutes=10)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
RULES = """
rules:
  - {name: Partial, watch: order, when: status == "Partial", do: [{log: {message: "partial"}}]}
  - {name: Canceled, watch: order, when: status == "Canceled", do: [{log: {message: "canceled"}}]}
  - {name: Error, watch: order, when: status == "Error", do: [{log: {message: "error"}}]}
  - {name: Completed, watch: order, when: status == "Completed", do: [{log: {message: "done"}}]}
"""


@dataclass
class Clock:
    """Simulated time."""

    at: datetime = T0

    def now(self) -> datetime:
        return self.at

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds()


@dataclass
class CoursePanel:
    """Answers by the simulator's courses, and counts the requests."""

    clock: Clock
    placed: Mapping[str, tuple[datetime, Course]]
    requests: int = 0
    asked: int = 0

    async def services(self) -> tuple[Service, ...]:
        return (Service("1", "Followers", "Default", "All", Decimal(1), 1, 10**6, True, True, False),)

    async def balance(self) -> Balance:
        return Balance(Decimal(100), "USD")

    async def order_states(
        self,
        ids: Sequence[str],
        known: Mapping[str, int] = NOTHING_KNOWN,  # noqa: ARG002 - nothing is spared here
    ) -> OrderStates:
        self.requests += sum(1 for _ in batches(ids))
        self.asked += len(ids)
        found: dict[str, OrderState] = {}
        for name in ids:
            at, course = self.placed[name]
            status, remains = course.look((self.clock.at - at).total_seconds(), QUANTITY)
            found[name] = OrderState(order_status(status), True, remains)
        return OrderStates(dict(found))

    async def refill_states(self, ids: Sequence[str]) -> RefillStates:
        return RefillStates({}, tuple(ids))


@dataclass(frozen=True, slots=True)
class Way:
    """One way to poll: the usual time between two looks, and the bounds of each order's own pace, if any."""

    kind: str
    usual: timedelta
    bounds: Bounds | None = None
    gives_way: bool = True

    @property
    def name(self) -> str:
        return f"{self.kind}, {self.usual // MINUTE} min"


def fixed(minutes: int) -> Way:
    return Way("fixed", minutes * MINUTE)


def filled(minutes: int) -> Way:
    return Way("filled", minutes * MINUTE, Bounds(minutes * MINUTE, minutes * MINUTE))


def adaptive(minutes: int) -> Way:
    usual = minutes * MINUTE
    return Way("adaptive", usual, Bounds(usual / 5, usual * 12))


def in_due_order(minutes: int) -> Way:
    return replace(adaptive(minutes), kind="in due order", gives_way=False)


class Unnoticed(Backlog):
    """Nobody gives way."""

    def note(self, due: Sequence[DueOrder], most: int, now: datetime, bounds: Bounds) -> None:
        """Leave the lateness at none."""


WAYS = (
    fixed(2),
    fixed(5),
    fixed(10),
    filled(2),
    filled(5),
    filled(10),
    adaptive(2),
    adaptive(5),
    adaptive(10),
)
CROWDED = (filled(5), in_due_order(5), adaptive(5))


@dataclass
class Outcome:
    """What one way came to."""

    requests: int
    looks: int
    reactions: list[float] = field(default_factory=list)
    missed: int = 0

    def percentile(self, share: float) -> float:
        """Seconds within which this share of the reactions came."""
        return sorted(self.reactions)[min(int(len(self.reactions) * share), len(self.reactions) - 1)]


async def poll(way: Way, orders: int, days: float, every: timedelta | None = None) -> Outcome:
    """Poll `orders` placed evenly over `days`, from the first to the last.

    With `every` no more than a full request is made that often.
    """
    script, span = Script(), days * DAY
    placed = {
        str(1000 + number): (T0 + span * number / orders, script.course(SEED, number))
        for number in range(orders)
    }
    clock = Clock()
    panel = CoursePanel(clock, placed)
    with TemporaryDirectory() as directory:
        path = Path(directory) / "rules.yaml"
        path.write_text(RULES, encoding="utf-8")
        rules = load_rules((path,)).rules
    ledger = await SqliteLedger.in_memory()
    hour = timedelta(hours=1)
    watch = PanelWatch(
        panel=PANEL,
        client=panel,
        ledger=ledger,
        standing=Standing(PANEL),
        pace=Pace(
            way.usual, hour, 30 * DAY, 30 * DAY, DAY, 2_000 if every is None else LARGEST_BATCH, way.bounds
        ),
        belts=Belts(live=True, gap=hour),
        clock=clock,
        counters=Counters(),
        rules=lambda: rules,
        voice=OperatorVoice(ledger, None),
        planned=lambda: None,
        backlog=Backlog() if way.gives_way else Unnoticed(),
    )
    await look_at_catalogue(watch)
    await look_at_balance(watch)
    waiting = list(placed)[::-1]
    while clock.at < T0 + span:
        fresh = []
        while waiting and placed[waiting[-1]][0] <= clock.at and (clock.at - T0) % TAKEN_IN == timedelta():
            fresh.append(waiting.pop())
        if fresh:
            await ledger.track([_new_order(name, placed[name][0]) for name in fresh], clock.at)
        if every is None or (clock.at - T0) % every == timedelta():
            await sweep_orders(watch)
        clock.at += TICK
    outcome = Outcome(panel.requests, panel.asked)
    await _react(outcome, ledger, placed, clock.at)
    await ledger.aclose()
    return outcome


def _new_order(name: str, placed_at: datetime) -> NewOrder:
    entity = Entity(EntityKind.ORDER, PANEL, name)
    return NewOrder(entity, "1", {"quantity": str(QUANTITY)}, placed_at)


async def _react(
    outcome: Outcome, ledger: SqliteLedger, placed: Mapping[str, tuple[datetime, Course]], until: datetime
) -> None:
    """How long after each order's end the daemon knew."""
    fired = {firing.entity.id: firing.at for firing in await ledger.firings(T0, until, 10**6)}
    for name, (at, course) in placed.items():
        if course.ends_after is None or (ended := at + timedelta(seconds=course.ends_after)) >= until:
            continue
        if name in fired:
            outcome.reactions.append((fired[name] - ended).total_seconds())
        else:
            outcome.missed += 1


def row(way: Way, found: Outcome, command: str) -> Row:
    figure = (
        f"{found.requests:,} requests, p50 {found.percentile(0.5):.0f} s, p95 {found.percentile(0.95):.0f} s"
    )
    return Row(way.name, figure, f"{found.looks:,} orders asked about, {found.missed} not yet seen", command)


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--every", type=int, default=None, help="seconds between requests, a multiple of 5")
    given = parser.parse_args()
    command = f"python -m benchmarks.adaptive --orders {given.orders} --days {given.days:g}"
    every = None if given.every is None else timedelta(seconds=given.every)
    if every is not None:
        command += f" --every {given.every}"
    ways = WAYS if every is None else CROWDED
    rows = [row(way, asyncio.run(poll(way, given.orders, given.days, every)), command) for way in ways]
    tell(rows, as_json=given.json)


if __name__ == "__main__":
    main()
