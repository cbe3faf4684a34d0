"""What changed of services: each change by itself, or all within a time taken together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from smm_rules.engine.observation import share
from smm_rules.engine.service_facts import COMPARED
from smm_rules.facts import Entity, Facts, Known
from smm_rules.ledger.figures import KeptChange


class Event(StrEnum):
    """What became of a service."""

    NEW = "new"
    GONE = "gone"
    BACK = "back"
    CHANGED = "changed"
    PASSED = "came and went"


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact of a service before and after; None where the catalogue didn't say."""

    name: str
    before: Known | None
    after: Known | None

    @property
    def increase(self) -> Decimal | None:
        """Of a rate: how much dearer it became, 0.1 for ten percent; None where that can't be told."""
        if self.name != "rate" or not isinstance(self.before, Decimal) or not isinstance(self.after, Decimal):
            return None
        return share(self.after - self.before, self.before) if self.before else None


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """What became of a service. `at` is when it was last seen to change, `times` how often it did.

    `facts` are those it has now. Of a service that is new nothing differs: its facts are the news.
    `incomplete` says that what it was before isn't kept any more.
    """

    service: Entity
    event: Event
    at: datetime
    facts: Facts
    differences: tuple[Difference, ...] = ()
    times: int = 1
    incomplete: bool = False


def each(kept: Iterable[KeptChange]) -> tuple[ServiceChange, ...]:
    """Every change by itself, in the order given; those of nothing that is told are left out."""
    found = (_between(change, change, 1) for change in kept)
    return tuple(change for change in found if change is not None)


def together(kept: Sequence[KeptChange]) -> tuple[ServiceChange, ...]:
    """What became of each service over all of its changes, which are given the newest first.

    A service that is again as it was isn't among them. By panel, then what became of it, then ID.
    """
    by_service: dict[Entity, list[KeptChange]] = {}
    for change in kept:
        by_service.setdefault(change.service, []).append(change)
    found = (_between(changes[-1], changes[0], len(changes)) for changes in by_service.values())
    return tuple(sorted((change for change in found if change is not None), key=_place))


_ORDER = (Event.GONE, Event.BACK, Event.NEW, Event.CHANGED, Event.PASSED)


def _place(change: ServiceChange) -> tuple[str, int, tuple[int, str]]:
    return change.service.panel, _ORDER.index(change.event), natural(change.service.id)


def natural(identifier: str) -> tuple[int, str]:
    """By which IDs are sorted: 9 before 10."""
    return (len(identifier), identifier) if identifier.isdecimal() else (1_000, identifier)


def differences(before: Facts, after: Facts) -> tuple[Difference, ...]:
    """What differs of what is compared."""
    return tuple(
        Difference(name, before.get(name), after.get(name))
        for name in COMPARED
        if before.get(name) != after.get(name)
    )


def _between(first: KeptChange, last: KeptChange, times: int) -> ServiceChange | None:
    """From before the first of a service's changes to after the last."""
    after = last.after
    is_gone = after.get("gone") is True
    if first.new:
        event = Event.PASSED if is_gone else Event.NEW
        return ServiceChange(last.service, event, last.at, after, times=times)
    if first.before is None:
        event = Event.GONE if is_gone else Event.CHANGED
        told = _from_what_is_remembered(after) if times == 1 else ()
        return ServiceChange(last.service, event, last.at, after, told, times, incomplete=True)
    was_gone = first.before.get("gone") is True
    found = differences(first.before, after)
    if is_gone == was_gone and not found:
        return None
    event = Event.CHANGED if is_gone == was_gone else Event.GONE if is_gone else Event.BACK
    return ServiceChange(last.service, event, last.at, after, found, times)


def _from_what_is_remembered(after: Facts) -> tuple[Difference, ...]:
    """What the facts themselves say of the last change, where those before it aren't kept any more."""
    return tuple(
        Difference(name, after.get(f"previous_{name}"), after.get(name))
        for name in COMPARED
        if after.get(f"{name}_changed") is True and f"previous_{name}" in after
    )
