"""The law of resting orders: leaving looks alone changes nothing of what rules come to.

Two worlds live through the same: in one the panel's repeats are known for what they are, in the other every
look is a whole one. Whatever rules, answers and times, both hold the same facts, memories and firings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.ledger.records import NewOrder, OrderSource
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.panel.answers import Balance, OrderState, Refused
from smm_rules.panel.errors import NotSent
from smm_rules.polling.balance import look_at_balance
from smm_rules.polling.catalogue import look_at_catalogue
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.watch import PanelWatch
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import Rule, RuleSet
from tests.polling.world import FOLLOWERS, HOUR, MINUTE, SCOPE, T0, ScriptedPanel, World, order, state

DAY = timedelta(days=1)
TEXT = """
rules:
  - name: top-up
    watch: order
    when: status == "Partial" and remains > 0 and service.refill
    for: 10m
    do: [refill, {notify: {channel: ops, message: "{{ order.id }}"}}]
    limit: {per_order: 2, every: 1h}
  - name: tell
    watch: order
    when: status == "Partial"
    first_seen: ignore
    do: [{notify: {channel: ops, message: "{{ order.id }} {{ order.remains }}"}}]
    done: [{notify: {channel: ops, message: "{{ order.id }} is over"}}]
  - name: nag
    watch: order
    when: status == "In progress" and unchanged > 20m
    until: remains < 10
    remind: 30m
    do: [{notify: {channel: ops, message: "{{ order.id }} stands still"}}]
  - name: late
    watch: order
    when: age >= 2h or tracked_for > 1d
    do: [{notify: {channel: ops, message: "{{ order.id }} is late"}}]
  - name: stuck
    watch: order
    when: status == "Pending" and in_status > 1h
    for: 45m
    do: [cancel]
    limit: {per_order: 1, per_sweep: 1}
  - name: poor
    watch: order
    when: balance.amount < 50 and charge > 1
    do: [{notify: {channel: ops, message: "{{ order.id }} costs too much"}}]
  - name: dearer
    watch: order
    when: service.rate > 2.5 and not (status == "Completed")
    for: 5m
    do: [{notify: {channel: ops, message: "{{ order.id }} is dear"}}]
  - name: erring
    watch: order
    when: error != ""
    do: [{notify: {channel: ops, message: "{{ order.error }}"}}]
  - name: refilled
    watch: order
    when: refills >= 1
    do: [{notify: {channel: ops, message: "{{ order.id }} was refilled"}}]
  - name: again
    watch: order
    when: status == "Canceled" and age < 3d
    do: [{reorder: {panel: same}}]
    limit: {per_chain: 1}
  - name: silence
    watch: order
    when: panel.silent_for > 8m or balance.unchanged > 1d
    do: [{log: {message: "silent"}}]
  - name: calculating
    watch: order
    when: age * 2 > in_status and remains == 3
    do: [{log: {message: "odd"}}]
  - name: fresh-catalogue
    watch: order
    when: service.unchanged > 2h and progress > 0.4
    for: 1m
    do: [{log: {message: "half"}}]
"""
NAMES = ("1", "2", "3")
STATES: tuple[OrderState | Refused, ...] = (
    state("Pending", 1000),
    state("In progress", 1000),
    state("In progress", 500, charge=Decimal("2.5")),
    state("In progress", 3),
    state("Partial", 157, charge=Decimal("0.5")),
    state("Partial", 0),
    state("Completed", 0),
    state("Canceled", None),
    OrderState("Awaiting moon", False, 5),
    Refused("Incorrect order ID"),
)


def _rules() -> dict[str, Rule]:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "rules.yaml"
        path.write_text(TEXT, encoding="utf-8")
        return {rule.name: rule for rule in load_rules([path], SCOPE).rules.rules}


RULES = _rules()


@dataclass
class Twin:
    """One of the two worlds."""

    world: World
    watch: PanelWatch

    async def shown(self) -> dict[str, object]:
        """All that a rule came to, and all that the next look goes by."""
        ledger, now = self.world.ledger, self.world.clock.now()
        entities = [order(name) for name in NAMES]
        watched = [await ledger.watched(entity) for entity in entities]
        return {
            "watched": [
                one and (one.facts, one.first_seen_at, one.last_seen_at, one.due_at) for one in watched
            ],
            "memories": await ledger.memories(entities),
            "history": await ledger.history(None, T0, now + 100 * DAY, 1_000),
            "firings": await ledger.firings(T0 - DAY, now + 100 * DAY, 1_000),
            "intents": await self.world.intents(),
            "told": await self.world.told(),
            "stops": [(stop.kind, stop.name) for stop in await ledger.stops()],
        }

    async def sweep(self) -> None:
        await look_at_catalogue(self.watch)
        await look_at_balance(self.watch)
        await sweep_orders(self.watch)


Event = Callable[[Twin], Coroutine[object, object, None]]


def passes(duration: timedelta) -> Event:
    async def event(twin: Twin) -> None:
        twin.world.clock.move(duration)
        if duration < timedelta():
            await twin.world.ledger.clock_set_back(twin.world.clock.now())
        await twin.sweep()

    return event


def goes_by(duration: timedelta, times: int) -> Event:
    """Time passes look by look, as it mostly does."""

    async def event(twin: Twin) -> None:
        for _ in range(times):
            await passes(duration)(twin)

    return event


def answers(name: str, answer: OrderState | Refused | None) -> Event:
    async def event(twin: Twin) -> None:
        if answer is None:
            twin.world.panel.orders.pop(name, None)
        else:
            twin.world.panel.orders[name] = answer

    return event


def costs(amount: str, rate: str) -> Event:
    async def event(twin: Twin) -> None:
        twin.world.panel.money = Balance(Decimal(amount), "USD")
        service = twin.world.panel.catalogue[0]
        twin.world.panel.catalogue = (
            type(service)(**{**{n: getattr(service, n) for n in service.__slots__}, "rate": Decimal(rate)}),
        )
        twin.watch.standing.catalogue_wanted = twin.watch.standing.balance_wanted = True

    return event


def in_force(names: frozenset[str]) -> Event:
    async def event(twin: Twin) -> None:
        gone = [rule.name for rule in twin.world.rules.rules if rule.name not in names]
        await twin.world.ledger.end_holds(gone)
        twin.world.rules = RuleSet(tuple(rule for name, rule in RULES.items() if name in names))

    return event


def refilled(name: str) -> Event:
    async def event(twin: Twin) -> None:
        twin.world.clock.move(timedelta(seconds=1))  # what an operator asks for twice comes at two times
        count = len(await twin.world.ledger.intents((), 1_000))
        await twin.world.track_refill(f"r{count}", name)

    return event


def tracked_again(name: str, label: str) -> Event:
    async def event(twin: Twin) -> None:
        await twin.world.ledger.forget(order(name), twin.world.clock.now())
        await twin.world.ledger.track([NewOrder(order(name), "1", label=label)], twin.world.clock.now())

    return event


def paused(name: str) -> Event:
    async def event(twin: Twin) -> None:
        now = twin.world.clock.now()
        stops = [stop for stop in await twin.world.ledger.stops() if stop.name == name]
        if stops:
            await twin.world.ledger.end_stop(stops[0].id, now, "ann")
        else:
            await twin.world.ledger.stop(StopKind.PAUSE, StopScope.RULE, name, "a look", "ann", now)

    return event


def outage(*, lasts: bool) -> Event:
    async def event(twin: Twin) -> None:
        twin.world.panel.failing = {"orders": NotSent("down")} if lasts else {}

    return event


async def restarted(twin: Twin) -> None:
    """As a daemon that starts again: what it kept in memory is gone."""
    twin.watch = await twin.world.watch(gap=30 * MINUTE)


DURATIONS = st.sampled_from(
    [
        *(minutes * MINUTE for minutes in (1, 4, 5, 6, 10, 15, 20, 45, -7)),
        *(HOUR, 2 * HOUR, DAY, 3 * DAY, timedelta(microseconds=1)),
    ]
)
NAME = st.sampled_from(NAMES)
#: Few at a time: with some of them, nothing ever rests.
SOME_RULES = st.frozensets(st.sampled_from(sorted(RULES)), min_size=1, max_size=3)
EVENTS = st.one_of(
    st.builds(passes, DURATIONS),
    st.builds(goes_by, st.sampled_from([MINUTE, 5 * MINUTE]), st.integers(2, 8)),
    st.builds(goes_by, st.just(5 * MINUTE), st.integers(2, 8)),
    st.builds(answers, NAME, st.one_of(st.none(), st.sampled_from(STATES))),
    st.builds(answers, NAME, st.sampled_from(STATES)),
    st.builds(costs, st.sampled_from(["100", "20"]), st.sampled_from(["2.00", "2.00", "3.00"])),
    st.builds(in_force, SOME_RULES),
    st.builds(refilled, NAME),
    st.builds(tracked_again, NAME, st.sampled_from(["", "shop"])),
    st.builds(paused, st.sampled_from(sorted(RULES))),
    st.builds(outage, lasts=st.booleans()),
    st.just(restarted),
)


async def _twin(*, repeats: bool) -> Twin:
    ledger = await SqliteLedger.in_memory()
    panel = ScriptedPanel(repeats=repeats, catalogue=(FOLLOWERS,))
    world = World(Path("nowhere"), ledger, panel)
    placed = [
        NewOrder(order(name), "1", {"quantity": "1000"}, T0 - index * HOUR, source=source)
        for index, (name, source) in enumerate(zip(NAMES, (*OrderSource,), strict=True))
    ]
    await ledger.track(placed, T0)
    watch = await world.watch(gap=30 * MINUTE)
    return Twin(world, watch)


async def _live(names: frozenset[str], starts: tuple[OrderState | Refused, ...], events: list[Event]) -> None:
    """Both lives side by side."""
    spared = await _twin(repeats=True)
    whole = await _twin(repeats=False)
    for twin in (spared, whole):
        twin.world.panel.orders = dict(zip(NAMES, starts, strict=True))
        twin.world.rules = RuleSet(tuple(rule for name, rule in RULES.items() if name in names))
        await twin.sweep()
    for event in [*events, passes(5 * MINUTE), passes(5 * MINUTE), passes(HOUR)]:
        await event(spared)
        await event(whole)
        assert await spared.shown() == await whole.shown()
    for twin in (spared, whole):
        await twin.world.ledger.aclose()


@settings(max_examples=60, deadline=None)
@given(
    SOME_RULES,
    st.tuples(*[st.sampled_from(STATES)] * len(NAMES)),
    st.lists(EVENTS, max_size=16),
)
def test_looks_left_alone_change_nothing(
    names: frozenset[str], starts: tuple[OrderState | Refused, ...], events: list[Event]
) -> None:
    asyncio.run(_live(names, starts, events))
