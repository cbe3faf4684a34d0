"""A world of three panels that sell the same, in two currencies: rules order at the cheapest or the next.

The judge holds all journals together: whichever panel made it, a firing has one paid effect at most, a chain
of orders is one chain over all of them, and each panel keeps to its own budget. Restores are for the world of
one panel.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import apsw

from smm_rules.simulator import AccountSettings, DialectName, Fault, Script, Simulator, SimulatorSettings
from smm_rules.simulator.api import Reply
from tests.proof.household import KEY, PANEL
from tests.proof.judge import ACCOUNTED, Judge
from tests.proof.network import Network, Stage, Wire
from tests.proof.panel import Effect, Panel
from tests.proof.timeline import EPOCH, TrueClock
from tests.proof.world import HOUR, SERVICES, World

#: Each panel with its currency and its first order's number: numbers tell panels apart for the judge.
SHOPS = {PANEL: ("USD", 1001), "south": ("EUR", 1_000_001), "east": ("USD", 2_000_001)}
RATES = """\
services: services.yaml
exchange_rates: {base: USD, as_of: 2026-01-01, max_age: 3650d, rates: {EUR: 1.10}}
"""
_PANEL = """\
  - name: {name}
    url: http://127.0.0.1:9/{name}
    key: {{env: PANEL_KEY}}
    requests_per_minute: 600
    timeout: 20s
    poll: {{orders: {orders}, refills: {refills}, balance: {balance}, catalogue: 2h}}
    guards: {{spend: {spend}/day}}
"""
_SCRIPT = Script(
    completed=35,
    partial=20,
    canceled=30,
    stuck=10,
    error=5,
    delivery=(timedelta(minutes=10), timedelta(minutes=600)),
)


@dataclass
class Shop(Panel):
    """One panel of several. The judge reads all journals as one, and each by itself."""

    own: list[Effect] = field(default_factory=list)

    def answer(self, form: dict[str, str], intent: int, fault: Fault | None) -> Reply:
        before = len(self.effects)
        reply = super().answer(form, intent, fault)
        self.own += self.effects[before:]
        return reply


class Way(Network):
    """The way to one of several panels. Now and then it sells nothing, while it answers what is read."""

    closed_until: float = 0.0

    def draw(self, action: str) -> Wire | Fault | None:
        if action == "add" and self.timeline.seconds < self.closed_until:
            return Wire.REFUSED
        return super().draw(action)


class Crossroads(Way):
    """The way to the first panel, from which those to all others are found."""

    others: dict[str, Way]

    def of(self, name: str) -> Way:
        return self if name == self.panel.name else self.others[name]

    def all(self) -> Iterator[Way]:
        yield self
        yield from self.others.values()

    def paid_under_way(self) -> bool:
        """On any way: the operator says what became of a doubt once nothing may arrive any more."""
        return super().paid_under_way() or any(other.paid_under_way() for other in self.others.values())


class ShopsJudge(Judge):
    """Judges several panels by all their journals."""

    world: ShopsWorld

    def _spending(self) -> None:
        """Each panel has a budget of its own."""
        for shop in self.world.shops.values():
            spent: defaultdict[int, Decimal] = defaultdict(Decimal)
            for effect in shop.own:
                row = self.rows.get(effect.intent)
                if row is not None and row.claimed_at is not None and row.id not in self.approved:
                    spent[row.claimed_at // 86_400_000_000] += effect.possible
            for day, amount in spent.items():
                if amount > self.world.spend_a_day + Decimal("0.01"):
                    allowed = self.world.spend_a_day
                    self.world.fail(f"{amount} were spent on {shop.name} on day {day}, {allowed} are allowed")

    def finally_(self) -> None:
        super().finally_()
        self._by_episode()
        for name, shop in self.world.shops.items():
            self.figures[f"paid effects on {name}"] = len(shop.own)

    def _by_episode(self) -> None:
        """One order, one rule, one episode: it was ordered again once at most, whichever panels did."""
        made: Counter[tuple[str, str, int]] = Counter()
        accounted: Counter[tuple[str, str, int]] = Counter()
        for effect in self.world.panel.effects:
            row = self.rows.get(effect.intent)
            if row is not None and row.kind == "reorder":
                made[row.rule, row.entity, row.episode] += 1
        for row in self.rows.values():
            if row.kind == "reorder":
                self.figures["reorders planned elsewhere after an end"] += "+" in self.steps.get(row.id, "")
                accounted[row.rule, row.entity, row.episode] += row.state in ACCOUNTED
        for firing, count in made.items():
            if count > 1:
                self.world.fail(f"DOUBLED over all panels: {firing} has {count} reorders")
        for firing, count in accounted.items():
            if count > 1:
                self.world.fail(f"two panels at once: {firing} has {count} reorders that may have happened")

    @property
    def steps(self) -> dict[int, str]:
        """Which attempt of a step each intent was."""
        return self.world.steps()


class ShopsWorld(World):
    """The world with three panels. What befalls one befalls each, at times of its own."""

    shops: dict[str, Shop]
    network: Crossroads

    def __post_init__(self) -> None:
        super().__post_init__()
        self.shops = {}
        first = self._shop(PANEL, None)
        self.panel = first
        self.network = Crossroads(self.timeline, first, Random(self.chance.random()))
        self.network.others = {}
        for name in SHOPS:
            if name != PANEL:
                shop = self._shop(name, first)
                way = Way(self.timeline, shop, Random(self.chance.random()), faults=self.network.faults)
                self.network.others[name] = way
        for way in self.network.all():
            way.watch = self._watch
        self.judge = ShopsJudge(self)
        self._configure()
        self.write_rules(self.edition.text())

    def _watch(self, stage: Stage) -> None:
        self._watch_paid(stage)

    def _shop(self, name: str, first: Shop | None) -> Shop:
        currency, number = SHOPS[name]
        simulator = Simulator(
            SimulatorSettings(
                seed=self.settings.seed + number,
                start=EPOCH,
                dialect=self.chance.choice(list(DialectName)),
                accounts=(AccountSettings(key=KEY, balance=Decimal(500), currency=currency),),
                script=_SCRIPT,
                first_order=number,
            ),
            clock=TrueClock(self.timeline),
        )
        shop = Shop(name, simulator, lambda: self.timeline.seconds)
        if first is not None:
            shop.effects, shop.told, shop.links = first.effects, first.told, first.links
        self.shops[name] = shop
        return shop

    def _configure(self) -> None:
        file = self.directory / "smm-rules.yaml"
        text = file.read_text()
        orders, refills, balance = self.settings.polls
        more = "".join(
            _PANEL.format(name=name, orders=orders, refills=refills, balance=balance, spend=self.spend_a_day)
            for name in SHOPS
            if name != PANEL
        )
        file.write_text(text.replace("channels:", f"{more}channels:", 1) + RATES)
        groups = "".join(
            f"  - name: service-{number}\n    state: confirmed\n    services: "
            f"{{{', '.join(f'{name}: {number}' for name in SHOPS)}}}\n"
            for number in SERVICES
        )
        (self.directory / "services.yaml").write_text(f"services:\n{groups}")

    def write_rules(self, text: str) -> None:
        """The household's rules, with panels to choose."""
        chosen = text.replace("reorder: {max_rate_increase: 10%}", "reorder: {panel: cheapest}")
        super().write_rules(chosen.replace("reorder: {quantity:", "reorder: {panel: next, quantity:"))

    def steps(self) -> dict[int, str]:
        """The step of each intent, by its ID, as the ledger's file has it."""
        connection = apsw.Connection(str(self.copy_of_ledger()), vfs="unix")
        try:
            found = connection.execute("SELECT id, step FROM intents").fetchall()
            return {int(str(number)): str(step) for number, step in found}
        finally:
            connection.close()

    # -- trouble comes to each panel by itself ------------------------------------------------------------
    def _each(self, happen: Any) -> None:
        """Let something happen to one panel after the other, as if it were the only one."""
        panel, network = self.panel, self.network
        for name, shop in self.shops.items():
            self.panel, self.network = shop, network.of(name)  # type: ignore[assignment]
            try:
                happen()
            finally:
                self.panel, self.network = panel, network

    def _other_money(self) -> None:
        self._each(super()._other_money)

    def _prices(self) -> None:
        self._each(super()._prices)

    def _weather(self) -> None:
        self._each(super()._weather)
        for way in self.network.all():
            if self.chance.random() < 0.3:  # long enough that another panel has to take over
                way.closed_until = self.timeline.seconds + self.chance.uniform(1, 5) * HOUR

    def _evening(self) -> None:
        for way in self.network.all():
            way.weather.share = way.weather.paid_share = way.weather.outage_until = 0.0
            way.weather.slowest, way.closed_until = 0.3, 0.0
            way.panel.simulator.set_balance(Decimal(5000))
        super()._evening()
