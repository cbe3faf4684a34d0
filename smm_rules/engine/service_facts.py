"""Services: a panel's catalogue → the facts to store of each row, and of rows that are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from smm_rules.engine.observation import Observation, known_only, share
from smm_rules.facts import Facts, Known
from smm_rules.panel.answers import Service

#: All that a catalogue says of a service.
_SAID = ("id", "name", "type", "category", "rate", "min", "max", "refill", "cancel", "dripfeed", "gone")
#: Of each of these a fact `…_changed` tells whether the last change was of it; told in this order.
COMPARED = ("rate", "min", "max", "type", "name", "category", "refill", "cancel", "dripfeed")
#: Of each of these `previous_…` is kept. The rate has one, too, which `rate_increase` goes with.
_REMEMBERED = ("min", "max", "name", "type")


def observe_catalogue(
    before: Mapping[str, Facts], catalogue: Sequence[Service], now: datetime, *, is_whole: bool = True
) -> dict[str, Observation]:
    """The facts of every service, by its ID: those in the catalogue and those known before.

    A known service that isn't in the catalogue is gone. An empty catalogue is a fault and not a mass
    delisting: nothing is observed then. Nor is anything of what is missing from one that may not be whole.
    """
    if not catalogue:
        return {}
    offered = {service.id: service for service in catalogue}
    is_first = not before
    seen = {
        name: observe_service(before.get(name, {}), row, now, of_first_catalogue=is_first)
        for name, row in offered.items()
    }
    gone = {
        name: observe_gone(facts, now)
        for name, facts in before.items()
        if name not in offered and (is_whole or facts.get("gone") is True)
    }
    return seen | gone


def observe_service(
    before: Facts, service: Service, now: datetime, *, of_first_catalogue: bool = True
) -> Observation:
    """The facts of a service that is in the catalogue.

    One that nothing was known of before is new, unless the whole catalogue is read for the first time.
    """
    after = known_only(
        {
            "id": service.id,
            "name": service.name,
            "type": service.type,
            "category": service.category,
            "rate": service.rate,
            "min": service.min,
            "max": service.max,
            "refill": service.refill,
            "cancel": service.cancel,
            "dripfeed": service.dripfeed,
            "gone": False,
        }
    )
    if not before:
        return Observation(after | _dates(now, None if of_first_catalogue else now), True)
    if all(after.get(name) == before.get(name) for name in _SAID):
        return Observation(before, False)
    return _changed(before, after | _before_it(before, after) | _rate_change(before, service.rate), now)


def observe_gone(facts: Facts, now: datetime) -> Observation:
    """The facts of a service that left the catalogue: what was said of it last, and that it is gone."""
    if facts.get("gone") is True:
        return Observation(facts, False)
    return _changed(facts, {**facts, "gone": True}, now)


def _changed(before: Facts, after: Facts, now: datetime) -> Observation:
    """What changed, dated. The last value said counts while a catalogue leaves one unsaid."""
    told: Facts = {f"{name}_changed": _differs(name, before, after) for name in COMPARED}
    told["came_back"] = before.get("gone") is True and after.get("gone") is False
    listed_at = before.get("listed_at")
    return Observation(
        after | told | _dates(now, listed_at if isinstance(listed_at, datetime) else None), True
    )


def _dates(changed_at: datetime, listed_at: datetime | None) -> Facts:
    return known_only({"changed_at": changed_at, "listed_at": listed_at})


def _differs(name: str, before: Facts, after: Facts) -> bool:
    last, present = before.get(name, before.get(f"previous_{name}")), after.get(name)
    return last is not None and present is not None and last != present


def _before_it(before: Facts, after: Facts) -> Facts:
    """`previous_…`: what was said before the last change, or last while the catalogue leaves it unsaid."""
    kept: dict[str, Known | None] = {}
    for name in _REMEMBERED:
        previous = f"previous_{name}"
        moved = name not in after or _differs(name, before, after)
        kept[previous] = before.get(name, before.get(previous)) if moved else before.get(previous)
    return known_only(kept)


def _rate_change(before: Facts, rate: Decimal | None) -> Facts:
    """`previous_rate` and `rate_increase`, both unknown until a first change.

    While a catalogue leaves the rate unsaid, `previous_rate` keeps the last one said, so that the next
    one is compared with it.
    """
    last = before.get("rate", before.get("previous_rate"))
    if not isinstance(last, Decimal):
        return {}
    if rate is None:
        return {"previous_rate": last}
    if before.get("rate") == rate:
        return {name: before[name] for name in ("previous_rate", "rate_increase") if name in before}
    if last == 0:
        return {"previous_rate": last}
    return {"previous_rate": last, "rate_increase": share(rate - last, last)}
