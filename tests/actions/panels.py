"""Three panels with one equal service each, for the tests of reorders whose panel is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from smm_rules.actions import Patience
from smm_rules.actions.failover import choice_of
from smm_rules.engine.choosing import Choice
from smm_rules.engine.guards import NO_GUARDS, Guards
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.records import Intent, Observed, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.matching.equal import EqualServices, Group, Member
from smm_rules.matching.exchange import ExchangeRates
from smm_rules.rules.model import Step, StepKind
from tests.actions.world import PANEL, SERVICE, ScriptedPanel, World, order

#: Each panel's service of the group, in the mapping's order.
MEMBERS = {PANEL: "7", "south": "70", "east": "700"}
EQUAL = EqualServices((Group("followers", tuple(Member(*pair) for pair in MEMBERS.items())),))


@dataclass(slots=True)
class Panels(World):
    """The world with more panels than one. `panels` are the scripted ones by name."""

    panels: dict[str, ScriptedPanel] = field(
        default_factory=lambda: {name: ScriptedPanel() for name in MEMBERS}
    )

    async def offer(
        self,
        panel: str,
        rate: str = "2.00",
        balance: str | None = "100",
        currency: str | None = "USD",
        **facts: object,
    ) -> None:
        """Read a panel's catalogue and balance now."""
        row: Facts = SERVICE | {"id": MEMBERS[panel], "rate": Decimal(rate)} | facts  # type: ignore[assignment]
        observed = [Observed(Entity(EntityKind.SERVICE, panel, MEMBERS[panel]), row, True, None)]
        if balance is not None:
            money: Facts = {"amount": Decimal(balance)}
            money |= {} if currency is None else {"currency": currency}
            observed.append(Observed(Entity(EntityKind.BALANCE, panel), money, True, None))
        await self.ledger.record(Sweep(self.clock.now(), tuple(observed)))

    async def offer_all(self, **rates: str) -> None:
        for panel in MEMBERS:
            await self.offer(panel, rates.get(panel, "2.00"))

    async def health(self, panel: str, **facts: object) -> None:
        seen: Facts = {"name": panel} | facts  # type: ignore[assignment]
        observed = Observed(Entity(EntityKind.PANEL, panel), seen, True, None)
        await self.ledger.record(Sweep(self.clock.now(), (observed,)))

    async def status(self, status: str, number: int = 1, panel: str = PANEL, **facts: object) -> None:
        """What the panel says of an order now."""
        seen: Facts = {"status": status} | facts  # type: ignore[assignment]
        observed = Observed(order(number, panel), seen, True, self.clock.now() + timedelta(days=9))
        await self.ledger.record(Sweep(self.clock.now(), (observed,)))

    async def canceled(self, number: int = 1, panel: str = PANEL, service: str | None = None) -> Entity:
        """An order that was placed at 2.00 and is canceled."""
        entity = order(number, panel)
        given = {"link": "https://example.com/a", "quantity": "1000", "rate": "2.00"}
        await self.track(number, service or MEMBERS[panel], panel, **given)
        await self.status("Canceled", number, panel)
        return entity

    async def again(self, way: str = "cheapest", *more: Step, **keys: object) -> int:
        """A rule orders again at a panel that is chosen by `way`."""
        parameters = {"panel": way, **{k: v for k, v in keys.items() if k in _PARAMETERS}}
        rest = {name: value for name, value in keys.items() if name not in _PARAMETERS}
        facts = {"status": "Canceled", **rest.pop("facts", {})}  # type: ignore[dict-item]
        return await self.fire(Step(StepKind.REORDER, parameters), *more, facts=facts, **rest)  # type: ignore[arg-type]

    async def choice(self, intent_id: int) -> Choice:
        found = choice_of(await self.intent(intent_id))
        assert found is not None
        return found

    async def all_intents(self) -> Sequence[Intent]:
        return tuple(reversed(await self.ledger.intents((), 100)))

    async def run(self, **more: object) -> None:
        await self.executor(panels=self.panels, **more).run_due(self.clock.now())  # type: ignore[arg-type]

    async def run_until_calm(self, patience: Patience | None = None) -> None:
        """Carry out what is planned until nothing is, however long that takes."""
        for _ in range(40):
            await self.run(patience=patience)
            planned = [one for one in await self.all_intents() if one.state == "planned"]
            if not planned:
                return
            self.clock.move(timedelta(minutes=20))
            await self.status_again()

    async def status_again(self) -> None:
        """The order is read again and says what it said."""
        known = await self.ledger.watched(order())
        if known is not None:
            await self.ledger.record(Sweep(self.clock.now(), (Observed(order(), known.facts, False, None),)))

    @property
    def bought(self) -> list[str]:
        """On which panels an `add` was asked for, by panel."""
        return [name for name, panel in self.panels.items() for _ in panel.calls]


_PARAMETERS = frozenset({"quantity", "max_rate_increase", "service", "link", "parameters"})


async def panels_over(
    ledger_path: object, guards: Guards = NO_GUARDS, rates: ExchangeRates | None = None, **market: object
) -> Panels:
    """A world over a new ledger file."""
    known = replace(guards.market, equal=EQUAL, rates=rates, **market)  # type: ignore[arg-type]
    ledger = await SqliteLedger.open(ledger_path, guards=replace(guards, market=known))  # type: ignore[arg-type]
    return Panels(ledger)


def calls(panels: Mapping[str, ScriptedPanel]) -> dict[str, int]:
    """How often each panel was asked for an order."""
    return {name: len(panel.calls) for name, panel in panels.items()}
