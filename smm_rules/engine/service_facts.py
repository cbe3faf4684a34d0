"""Services: a panel's catalogue → the facts to store of each row, and of rows that are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from smm_rules.engine.observation import Observation, differs, known_only, share
from smm_rules.facts import EntityKind, Facts
from smm_rules.panel.answers import Service


def observe_catalogue(
    before: Mapping[str, Facts], catalogue: Sequence[Service], now: datetime
) -> dict[str, Observation]:
    """The facts of every service, by its ID: those in the catalogue and those known before.

    A known service that isn't in the catalogue is gone. An empty catalogue is a fault and not a mass
    delisting: nothing is observed then.
    """
    if not catalogue:
        return {}
    offered = {service.id: service for service in catalogue}
    seen = {name: observe_service(before.get(name, {}), row, now) for name, row in offered.items()}
    gone = {name: observe_gone(facts, now) for name, facts in before.items() if name not in offered}
    return seen | gone


def observe_service(before: Facts, service: Service, now: datetime) -> Observation:
    """The facts of a service that is in the catalogue."""
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
    return _dated(before, after | _rate_change(before, service.rate), now)


def observe_gone(before: Facts, now: datetime) -> Observation:
    """The facts of a service that left the catalogue: what was said of it last, and that it is gone."""
    return _dated(before, before | {"gone": True}, now)


def _dated(before: Facts, after: Facts, now: datetime) -> Observation:
    changed = differs(EntityKind.SERVICE, before, after)
    dated = after | {"changed_at": now if changed else before.get("changed_at", now)}
    return Observation(dated, changed)


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
