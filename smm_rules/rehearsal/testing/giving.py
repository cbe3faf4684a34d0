"""`given` and `change` as written → things with their stated facts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from smm_rules.document import Trail, did_you_mean
from smm_rules.facts import (
    FIELDS,
    Entity,
    EntityKind,
    FactType,
    OrderStatus,
    RefillStatus,
    order_status,
    refill_status,
)
from smm_rules.rehearsal.testing.model import Stated, Thing
from smm_rules.rehearsal.testing.spec import THING_MODELS, GivenOutline
from smm_rules.rehearsal.testing.written import Reading

#: The panel of a test that names none.
PANEL = "main"
#: The ID of a thing that is given without one.
FIRST_ID = "1"
_WITHOUT_ID = (EntityKind.BALANCE, EntityKind.PANEL)
#: Facts of an order that are set once, when it is placed.
_FIXED = ("quantity", "link", "placed_at", "age", "tracked_at", "tracked_for")
_EXTRAS = ("service", "parameters", "rate", "imported")


def read_things(reading: Reading, trail: Trail, given: Sequence[Thing]) -> tuple[Thing, ...]:
    """The things at `trail`: what is given, or with `given` what changes of it."""
    reading.valid(GivenOutline, trail)
    value = reading.at(trail)
    said = value if isinstance(value, dict) else {}
    things: dict[Entity, Thing] = {}
    panel = _panel_name(reading, trail) or _panel_of(given)
    for kind in EntityKind:
        if kind.value not in said:
            continue
        for item in reading.items((*trail, kind.value)):
            for thing in _thing(reading, item, kind, panel, given):
                if thing.entity in things:
                    reading.refuse(
                        item, f"{_called(thing.entity)} is given twice", "Give each an id of its own"
                    )
                things[thing.entity] = thing
    return tuple(things.values())


def _panel_name(reading: Reading, trail: Trail) -> str | None:
    """The panel that is given by name, for all things beside it."""
    if not reading.holds((*trail, "panel")):
        return None
    for item in reading.items((*trail, "panel")):
        value = reading.at(item)
        name = value.get("name") if isinstance(value, dict) else None
        if isinstance(name, str):
            return name
    return None


def _panel_of(given: Sequence[Thing]) -> str:
    return next((thing.entity.panel for thing in given), PANEL)


def _thing(
    reading: Reading, trail: Trail, kind: EntityKind, panel: str, given: Sequence[Thing]
) -> Iterator[Thing]:
    spec = reading.valid(THING_MODELS[kind], trail)
    _check_status(reading, trail, kind)
    if spec is None:
        return
    said = {name: value for name, value in spec if name in spec.model_fields_set}
    entity = _entity(kind, said, panel, given)
    facts = {name: value for name, value in said.items() if name in FIELDS[kind] and name != "id"}
    if given:
        _check_change(reading, trail, entity, said, given)
    yield Thing(
        entity=entity,
        facts=_typed(kind, facts),
        service=getattr(spec, "service", None),
        order=getattr(spec, "order", None),
        parameters=getattr(spec, "parameters", {}),
        rate=getattr(spec, "rate", None) if kind is EntityKind.ORDER else None,
        imported=getattr(spec, "imported", False),
    )


def _entity(kind: EntityKind, said: Stated, panel: str, given: Sequence[Thing]) -> Entity:
    on = said.get("name") if kind is EntityKind.PANEL else said.get("panel")
    if kind in _WITHOUT_ID:
        return Entity(kind, str(on or panel))
    identifier = said.get("id")
    if identifier is None:
        same = [thing.entity for thing in given if thing.entity.kind is kind]
        if same and on is None:
            return same[0]
        identifier = FIRST_ID
    return Entity(kind, str(on or panel), str(identifier))


def _typed(kind: EntityKind, facts: Stated) -> Stated:
    """Money as Decimal, statuses in one spelling."""
    spell = {FactType.ORDER_STATUS: order_status, FactType.REFILL_STATUS: refill_status}
    typed = {}
    for name, value in facts.items():
        type_ = FIELDS[kind][name].type
        if isinstance(value, str) and type_ in spell:
            value = spell[type_](value)
        elif type_ is FactType.MONEY and isinstance(value, int):
            value = Decimal(value)
        typed[name] = value
    return typed


def _check_status(reading: Reading, trail: Trail, kind: EntityKind) -> None:
    """A misspelt status would be one that nobody knows, and no rule would ever match it."""
    value = reading.at(trail)
    facts = value if isinstance(value, dict) else {}
    status = facts.get("status")
    known = {EntityKind.ORDER: OrderStatus, EntityKind.REFILL: RefillStatus}.get(kind)
    if known is None or not isinstance(status, str) or facts.get("status_known") is False:
        return
    spelt = order_status(status) if kind is EntityKind.ORDER else refill_status(status)
    if spelt in list(known):
        return
    suggestion = did_you_mean(status, list(known))
    message = f'No panel is known to answer the status "{status}"'
    way_out = "If a status that nobody knows is meant, say status_known: false"
    reading.refuse((*trail, "status"), message, f"{suggestion} {way_out}".strip())


def _check_change(
    reading: Reading, trail: Trail, entity: Entity, said: Stated, given: Sequence[Thing]
) -> None:
    known = any(thing.entity == entity for thing in given)
    for name in (*_FIXED, *_EXTRAS):
        if entity.kind is EntityKind.ORDER and known and name in said:
            reading.refuse(
                (*trail, name), f"`{name}` is set when the order is placed and can't change", key=True
            )


def _called(entity: Entity) -> str:
    return f"{entity.kind} {entity.id}" if entity.id else f"The {entity.kind} of {entity.panel}"
