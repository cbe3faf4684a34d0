"""The daemon's own path on a made-up panel: real polling, ledger and executor, and a clock set by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from smm_rules.actions.executor import Executor
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import MessageState, NewOrder
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.observe.counters import Counters
from smm_rules.panel.answers import Balance, OrderState, OrderStates, RefillStates, Service
from smm_rules.panel.repeats import NOTHING_KNOWN
from smm_rules.polling.balance import look_at_balance
from smm_rules.polling.catalogue import look_at_catalogue
from smm_rules.polling.decisions import Belts
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.standing import Standing
from smm_rules.polling.watch import Pace, PanelWatch
from smm_rules.rehearsal.clock import StageClock
from smm_rules.rehearsal.scripted_panel import Script, ScriptedPanel
from smm_rules.rules.model import RuleSet

PANEL = "main"
_MANY = 10_000


FOLLOWERS = Service("1", "Followers", "Default", "Social", Decimal("1.00"), 10, 100_000, True, True, False)


@dataclass
class Truth:
    """What the panel would answer now."""

    orders: dict[str, OrderState] = field(default_factory=dict)
    amount: Decimal = Decimal(100)
    service: Service = FOLLOWERS

    async def services(self) -> tuple[Service, ...]:
        return (self.service,)

    async def balance(self) -> Balance:
        return Balance(self.amount, "USD")

    async def order_states(self, ids: Sequence[str], known: Mapping[str, int] = NOTHING_KNOWN) -> OrderStates:
        found = {name: self.orders[name] for name in ids if name in self.orders}
        return OrderStates(dict(found), tuple(name for name in ids if name not in found))

    async def refill_states(self, ids: Sequence[str]) -> RefillStates:
        return RefillStates({}, tuple(ids))


@dataclass(frozen=True)
class Firing:
    """A firing as all three ways tell it."""

    rule: str
    entity: str
    occasion: str
    at: datetime


@dataclass(frozen=True)
class Step:
    """A step carried out, as all three ways tell it."""

    rule: str
    entity: str
    place: str
    outcome: str


class Daemon:
    """One panel watched the way `daemon.work` watches it, look by look."""

    def __init__(
        self, ledger: SqliteLedger, rules: RuleSet, script: Script, start: datetime, interval: timedelta
    ) -> None:
        self.ledger = ledger
        self.truth = Truth()
        self.clock = StageClock(start)
        voice = OperatorVoice(ledger, None)
        self.watch = PanelWatch(
            panel=PANEL,
            client=self.truth,
            ledger=ledger,
            standing=Standing(PANEL),
            pace=Pace(interval, interval, interval, interval, timedelta(days=1), _MANY),
            belts=Belts(live=True, gap=timedelta(minutes=30)),
            clock=self.clock,
            counters=Counters(),
            rules=lambda: rules,
            voice=voice,
            planned=lambda: None,
        )
        self.executor = Executor(ledger, {PANEL: ScriptedPanel(script)}, "daemon", self.clock, voice)

    async def play(
        self,
        orders: Sequence[NewOrder],
        changes: Mapping[datetime, Mapping[str, object]],
        end: datetime,
    ) -> None:
        """Track the orders, then go from instant to instant: what changes is seen at once."""
        start = self.clock.now()
        await self.ledger.track(orders, start)
        for at in sorted({start, *changes}):
            await self._advance(at)
            self.clock.move_to(at)
            for name, value in changes.get(at, {}).items():
                if isinstance(value, OrderState):
                    self.truth.orders[name] = value
                else:
                    setattr(self.truth, name, value)
            self.watch.standing.balance_wanted = self.watch.standing.catalogue_wanted = True
            await self.ledger.postpone(await self._unsettled(orders), at)
            await self._tick()
        await self._advance(end)
        if await self._next_at() == end:
            self.clock.move_to(end)
            await self._tick()

    async def _advance(self, until: datetime) -> None:
        while (at := await self._next_at()) is not None and at < until:
            self.clock.move_to(at)
            await self._tick()

    async def _unsettled(self, orders: Sequence[NewOrder]) -> list[Entity]:
        known = [await self.ledger.watched(order.entity) for order in orders]
        return [one.entity for one in known if one is not None and one.due_at is not None]

    async def _next_at(self) -> datetime | None:
        watched = await self.ledger.watched_page(EntityKind.ORDER, PANEL, None, _MANY)
        due = [one.due_at for one in watched if one.due_at is not None]
        planned = [intent.not_before for intent in await self.ledger.intents((), _MANY)]
        return min([*due, *(at for at in planned if at is not None and at > self.clock.now())], default=None)

    async def _tick(self) -> None:
        await look_at_catalogue(self.watch)
        await look_at_balance(self.watch)
        await sweep_orders(self.watch)
        now, tried = self.clock.now(), set[int]()
        while ready := [one for one in await self.ledger.claimable(now, _MANY) if one.id not in tried]:
            for intent in ready:
                tried.add(intent.id)
                await self.executor.run_one(intent.id)

    async def firings(self, since: datetime, until: datetime) -> list[Firing]:
        """All that fired, in time order."""
        found = await self.ledger.firings(since, until, _MANY)
        return sorted(
            (Firing(one.rule, str(one.entity), one.occasion.value, one.at) for one in found), key=repr
        )

    async def steps(self) -> list[Step]:
        """All that was told, and every action that came to an end."""
        intents = [one for one in await self.ledger.intents((), _MANY) if one.state != "planned"]
        acted = [Step(one.rule, str(one.entity), one.step, one.state.value) for one in intents]
        messages = await self.ledger.messages(tuple(MessageState), _MANY)
        keys = {one.key: one for one in await self.ledger.firings(_EPOCH, self.clock.now(), _MANY)}
        for message in messages:
            key, _, place = message.dedup_key.rpartition(":")
            if key in keys:
                acted.append(Step(keys[key].rule, str(keys[key].entity), place, "told"))
        return sorted(acted, key=repr)


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
