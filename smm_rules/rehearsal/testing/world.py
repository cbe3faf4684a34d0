"""The world of a test: what its panels answer, made of what the test states and ordinary defaults.

Answers become facts by the engine's own functions, so that what follows from others (delivered, changed_at,
rate_increase) follows here, too; what the test states of those outright is laid over them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from smm_rules.engine.balance_facts import observe_balance
from smm_rules.engine.observation import Observation, differs
from smm_rules.engine.order_facts import observe_order
from smm_rules.engine.panel_facts import answered, catalogue_read, failed
from smm_rules.engine.refill_facts import observe_refill
from smm_rules.engine.service_facts import observe_gone, observe_service
from smm_rules.facts import FIELDS, Entity, EntityKind, Facts, Known, OrderStatus, RefillStatus
from smm_rules.ledger.records import NewOrder, OrderSource, TrackedOrder
from smm_rules.panel.answers import Balance, OrderState, RefillState, Refused, Service
from smm_rules.polling.orders import order_intake
from smm_rules.rehearsal.testing.model import Thing

#: What a thing is like where a test says nothing else. `docs/testing-rules.md` has the same table.
DEFAULTS: dict[EntityKind, dict[str, Known]] = {
    EntityKind.ORDER: {
        "status": OrderStatus.IN_PROGRESS.value,
        "quantity": 1000,
        "start_count": 100,
        "charge": Decimal("1.00"),
        "currency": "USD",
        "link": "https://example.com/post",
        "label": "",
        "error": "",
    },
    EntityKind.REFILL: {"status": RefillStatus.PENDING.value, "error": ""},
    EntityKind.BALANCE: {"amount": Decimal("100.00"), "currency": "USD"},
    EntityKind.SERVICE: {
        "name": "Followers",
        "type": "Default",
        "category": "Social",
        "rate": Decimal("1.00"),
        "min": 10,
        "max": 100_000,
        "refill": True,
        "cancel": True,
        "dripfeed": False,
        "gone": False,
    },
    EntityKind.PANEL: {"reachable": True},
}
#: How long ago an order was placed where a test says nothing else.
DEFAULT_AGE = timedelta(hours=1)
#: Facts that follow from others: stated outright they hold until the thing changes.
_DERIVED: dict[EntityKind, frozenset[str]] = {
    EntityKind.ORDER: frozenset({"status_known", "delivered", "progress", "changed_at", "status_since"}),
    EntityKind.REFILL: frozenset({"status_known", "changed_at"}),
    EntityKind.BALANCE: frozenset({"previous_amount", "changed_at"}),
    EntityKind.SERVICE: frozenset(
        {"rate_increase", "came_back", "changed_at", "listed_at"}
        | {f"previous_{name}" for name in ("rate", "min", "max", "name", "type")}
        | {name for name in FIELDS[EntityKind.SERVICE] if name.endswith("_changed")}
    ),
    EntityKind.PANEL: frozenset({"failures", "failing_since", "last_answer_at", "catalogue_read_at"}),
}


@dataclass(slots=True)
class _Being:
    """One thing as it is now: what its panel says, and what was stated of facts that follow from that."""

    thing: Thing
    said: dict[str, Known | None]
    stated: dict[str, Known | None] = field(default_factory=dict)
    since: datetime | None = None


class TestWorld:
    """What every look of a test finds. A `Source` of the stage."""

    __test__ = False  # not one for pytest

    def __init__(self) -> None:
        self._beings: dict[Entity, _Being] = {}

    def holds(self, entity: Entity) -> bool:
        """Whether the world knows such a thing."""
        return entity in self._beings

    def thing(self, entity: Entity) -> Thing:
        """The thing as it was given first."""
        return self._beings[entity].thing

    def give(self, thing: Thing, now: datetime) -> None:
        """A thing is there, or changes to what is stated of it now."""
        kind = thing.entity.kind
        stated = _with_instants(thing, now)
        derived = {name: value for name, value in stated.items() if name in _DERIVED[kind]}
        being = self._beings.get(thing.entity)
        if being is None:
            said = {**DEFAULTS[kind], **stated}
            self._beings[thing.entity] = _Being(thing, said, derived, now)
        else:
            being.said |= stated
            being.stated = derived

    def order(self, entity: Entity, now: datetime) -> NewOrder:
        """A given order as it is tracked."""
        being = self._beings[entity]
        thing, said = being.thing, being.said
        placed = {"link": said.get("link"), "quantity": said.get("quantity"), "rate": thing.rate}
        known = {name: str(value) for name, value in placed.items() if value is not None}
        placed_at = said.get("placed_at", now - DEFAULT_AGE)
        return NewOrder(
            entity=entity,
            service=thing.service,
            parameters={**known, **thing.parameters},
            placed_at=placed_at if isinstance(placed_at, datetime) else None,
            label=str(said.get("label") or ""),
            source=OrderSource.TRACKED if thing.imported else OrderSource.PLACED,
        )

    def instant(self, entity: Entity, name: str, default: datetime) -> datetime:
        """A stated instant such as `tracked_at`, or `default`."""
        value = self._beings[entity].said.get(name)
        return value if isinstance(value, datetime) else default

    def last_look(self, entity: Entity) -> datetime | None:  # noqa: ARG002 - a source's interface
        """A test watches to its end."""
        return None

    def observe(
        self, entity: Entity, before: Facts, order: TrackedOrder | None, now: datetime
    ) -> Observation:
        """What a look at `entity` at `now` finds."""
        being = self._beings[entity]
        seen = _OBSERVERS[entity.kind](being, before, order, now)
        facts = dict(seen.facts)
        for name, value in _laid_over(being).items():
            if value is None:
                facts.pop(name, None)
            else:
                facts[name] = value
        return Observation(facts, differs(entity.kind, before, facts))


def _with_instants(thing: Thing, now: datetime) -> dict[str, Known | None]:
    """The stated facts with running durations as the instants they are stored as: age → placed_at."""
    fields = FIELDS[thing.entity.kind]
    stated: dict[str, Known | None] = {}
    for name, value in thing.facts.items():
        since = fields[name].since
        if since is None:
            stated[name] = value
        elif isinstance(value, timedelta):
            stated[since] = now - value
        else:
            stated[since] = None
    return stated


def _laid_over(being: _Being) -> dict[str, Known | None]:
    """Facts that no answer says and the ledger doesn't count: as stated."""
    kind = being.thing.entity.kind
    counted = {name: being.said[name] for name in _COUNTED.get(kind, ()) if name in being.said}
    unsaid: dict[str, Known | None] = {"status": None} if being.said.get("status", "") is None else {}
    return {**counted, **being.stated, **unsaid}


#: Facts of intake and chain, stated outright.
_COUNTED = {
    EntityKind.ORDER: ("refills", "chain_depth", "quantity", "link", "label"),
    EntityKind.REFILL: ("requested_at",),
    EntityKind.PANEL: ("last_error",),
}


def _text(value: Known | None) -> str:
    return "" if value is None else str(value)


def _order(being: _Being, before: Facts, order: TrackedOrder | None, now: datetime) -> Observation:
    if order is None:
        raise LookupError(f"{being.thing.entity} is not tracked")
    said = being.said
    error = _text(said.get("error"))
    answer = Refused(error) if error else _order_state(said)
    return observe_order(before, answer, order_intake(order), now)


def _order_state(said: dict[str, Known | None]) -> OrderState:
    status = _text(said.get("status"))
    done = status == OrderStatus.COMPLETED
    remains = said["remains"] if "remains" in said else 0 if done else said.get("quantity")
    return OrderState(
        status=status,
        status_known=status in list(OrderStatus),
        remains=_whole(remains),
        start_count=_whole(said.get("start_count")),
        charge=_money(said.get("charge")),
        currency=_maybe(said.get("currency")),
        runs=_whole(said.get("runs")),
        posts=_whole(said.get("posts")),
        expiry=_maybe(said.get("expiry")),
        suborders=("",) * (_whole(said.get("suborders")) or 0),
    )


def _whole(value: Known | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _money(value: Known | None) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) else None


def _maybe(value: Known | None) -> str | None:
    return value if isinstance(value, str) else None


def _flag(value: Known | None) -> bool | None:
    return value if isinstance(value, bool) else None


def _refill(being: _Being, before: Facts, _: TrackedOrder | None, now: datetime) -> Observation:
    said = being.said
    error, status = _text(said.get("error")), _text(said.get("status"))
    answer = Refused(error) if error else RefillState(status, status in list(RefillStatus))
    return observe_refill(before, answer, being.thing.entity.id, being.since, now)


def _balance(being: _Being, before: Facts, _: TrackedOrder | None, now: datetime) -> Observation:
    amount = _money(being.said.get("amount"))
    currency = _maybe(being.said.get("currency"))
    if amount is None:
        return Observation({"currency": currency} if currency else {}, False)
    return observe_balance(before, Balance(amount, currency), now)


def _service(being: _Being, before: Facts, _: TrackedOrder | None, now: datetime) -> Observation:
    said = being.said
    row = Service(
        id=being.thing.entity.id,
        name=_text(said.get("name")),
        type=_text(said.get("type")),
        category=_text(said.get("category")),
        rate=_money(said.get("rate")),
        min=_whole(said.get("min")),
        max=_whole(said.get("max")),
        refill=_flag(said.get("refill")),
        cancel=_flag(said.get("cancel")),
        dripfeed=_flag(said.get("dripfeed")),
    )
    if said.get("gone") is not True:
        return observe_service(before, row, now)
    # One that is gone from the start was in the catalogue before the test began.
    return observe_gone(before or observe_service({}, row, now).facts, now)


def _panel(being: _Being, before: Facts, _: TrackedOrder | None, now: datetime) -> Observation:
    name = being.thing.entity.panel
    if being.said.get("reachable") is not False:
        seen = answered(before, name, now)
        return Observation(catalogue_read(seen.facts, now), seen.changed)
    if before.get("reachable") is False:
        return Observation(before, False)
    return failed(before, name, _text(being.said.get("last_error")) or "timed out", now)


_Observer = Callable[[_Being, Facts, TrackedOrder | None, datetime], Observation]
_OBSERVERS: dict[EntityKind, _Observer] = {
    EntityKind.ORDER: _order,
    EntityKind.REFILL: _refill,
    EntityKind.BALANCE: _balance,
    EntityKind.SERVICE: _service,
    EntityKind.PANEL: _panel,
}
