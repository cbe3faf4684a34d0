"""Panels' catalogues as the ledger has them: services, their currencies, their prices over time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from smm_rules.charts.svg import Point
from smm_rules.config.model import Configuration
from smm_rules.facts import Entity, EntityKind
from smm_rules.history.changes import ServiceChange, each, together
from smm_rules.ledger.figures import KeptChange
from smm_rules.ledger.records import Observation, Watched

#: Changes that are read at most, the newest first: a panel may make up new prices at each look.
MOST_CHANGES = 20_000
#: Changes of one service that are read at most.
_MOST_OF_ONE = 50_000
_PAGE = 2_000
#: A catalogue that wasn't read for so many times the interval at which it should be is told to be old.
_LATE = 3


class CatalogueReader(Protocol):
    """What is read of the ledger."""

    async def watched(self, entity: Entity) -> Watched | None: ...

    async def watched_page(
        self, kind: EntityKind, panel: str | None, after: Entity | None, limit: int
    ) -> tuple[Watched, ...]: ...

    async def history(
        self, entity: Entity | None, since: datetime, until: datetime, limit: int
    ) -> tuple[Observation, ...]: ...

    async def catalogue_changes(
        self, panel: str | None, since: datetime, until: datetime, limit: int
    ) -> tuple[KeptChange, ...]: ...


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed. `reverted` services are again as they were; unless it is `whole`, some are left out."""

    changes: tuple[ServiceChange, ...]
    reverted: int
    whole: bool


async def services(ledger: CatalogueReader, panel: str | None) -> AsyncIterator[Watched]:
    """All services known of a panel, or of all, those gone among them; page by page."""
    after: Entity | None = None
    while page := await ledger.watched_page(EntityKind.SERVICE, panel, after, _PAGE):
        for service in page:
            yield service
        after = page[-1].entity


async def changes_together(
    ledger: CatalogueReader, panel: str | None, since: datetime, until: datetime, limit: int = MOST_CHANGES
) -> Changes:
    """What became of services from `since` to `until`, each once."""
    kept = await ledger.catalogue_changes(panel, since, until, limit)
    found = together(kept)
    changed = len({change.service for change in kept})
    return Changes(found, changed - len(found), len(kept) < limit)


async def changes_one_by_one(
    ledger: CatalogueReader, panel: str | None, since: datetime, until: datetime, limit: int = MOST_CHANGES
) -> Changes:
    """Every change from `since` to `until`, the newest first."""
    kept = await ledger.catalogue_changes(panel, since, until, limit)
    return Changes(each(kept), 0, len(kept) < limit)


async def changes_of(
    ledger: CatalogueReader, service: Entity, since: datetime, until: datetime
) -> tuple[ServiceChange, ...]:
    """Every change of one service, the newest first. What it was at first isn't one."""
    seen = await ledger.history(service, since, until, _MOST_OF_ONE)
    earlier = await _last_before(ledger, service, since) if seen else None
    before = earlier.facts if earlier is not None else None
    kept: list[KeptChange] = []
    for observation in seen:
        is_new = before is None and observation.facts.get("listed_at") == observation.at
        if before is not None or is_new:
            kept.append(KeptChange(service, observation.at, before, observation.facts, is_new))
        before = observation.facts
    return each(reversed(kept))


async def rate_points(
    ledger: CatalogueReader, service: Entity, since: datetime, until: datetime
) -> list[Point]:
    """The price of 1000 over time, from the last one known before `since` on."""
    earlier = await _last_before(ledger, service, since)
    inside = await ledger.history(service, since, until, _MOST_OF_ONE)
    return _points(([earlier] if earlier is not None else []) + list(inside))


def _points(seen: Iterable[Observation]) -> list[Point]:
    return [Point(one.at, rate) for one in seen if isinstance(rate := one.facts.get("rate"), Decimal)]


async def _last_before(ledger: CatalogueReader, service: Entity, since: datetime) -> Observation | None:
    watched = await ledger.watched(service)
    begin = watched.first_seen_at if watched is not None else None
    if begin is None or begin >= since:
        return None
    earlier = await ledger.history(service, begin, since - timedelta(microseconds=1), _MOST_OF_ONE)
    return earlier[-1] if earlier else None


async def currency_of(ledger: CatalogueReader, panel: str) -> str | None:
    """The currency that a panel counts in, as its balance says; None where that isn't known."""
    balance = await ledger.watched(Entity(EntityKind.BALANCE, panel))
    currency = balance.facts.get("currency") if balance is not None else None
    return currency if isinstance(currency, str) else None


async def stale_catalogues(
    ledger: CatalogueReader, configuration: Configuration, panels: Collection[str], now: datetime
) -> list[str]:
    """A sentence for each of these panels whose catalogue is old or was never read."""
    said = [
        await staleness(ledger, panel.name, panel.poll.catalogue, now)
        for panel in configuration.panels
        if panel.name in panels
    ]
    return [sentence for sentence in said if sentence]


async def staleness(ledger: CatalogueReader, panel: str, every: timedelta, now: datetime) -> str:
    """A sentence when a panel's catalogue, due `every` so often, is old or was never read; else empty.

    An empty catalogue is taken for a fault of the panel, so it leaves things as they were, and this grows.
    """
    health = await ledger.watched(Entity(EntityKind.PANEL, panel))
    read_at = health.facts.get("catalogue_read_at") if health is not None else None
    if not isinstance(read_at, datetime):
        return f"The catalogue of {panel} was never read."
    if now - read_at <= every * _LATE:
        return ""
    days, hours = (now - read_at) // timedelta(days=1), (now - read_at) // timedelta(hours=1)
    age = f"{days}d" if days else f"{hours}h" if hours else "some minutes"
    return f"The catalogue of {panel} was last read {age} ago: what follows is as old."
