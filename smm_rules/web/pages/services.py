"""Services: what changed in catalogues, a list to search, and one service's price over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from smm_rules.charts.svg import line_chart
from smm_rules.facts import FIELDS, Entity, EntityKind, Known
from smm_rules.history.catalogues import (
    changes_of,
    changes_one_by_one,
    currency_of,
    rate_points,
    stale_catalogues,
)
from smm_rules.history.catalogues import services as all_services
from smm_rules.history.changes import Event, ServiceChange
from smm_rules.history.wanted import Wanted
from smm_rules.history.words import differences_in_words
from smm_rules.ledger.records import Watched
from smm_rules.web.visit import NotFound, Visit

_SPANS = {f"{days}d": timedelta(days=days) for days in (1, 7, 30)}
_PRICE_SPANS = {f"{days}d": timedelta(days=days) for days in (7, 30, 90, 365)}
_CHANGES_SHOWN = 200
_SERVICES_SHOWN = 100
_POINTS_SHOWN = 50
_TONES = {
    Event.GONE: "bad",
    Event.PASSED: "bad",
    Event.NEW: "good",
    Event.BACK: "good",
    Event.CHANGED: "info",
}
#: Shown as the head of the page, or in words of their own.
_TOLD_ELSEWHERE = frozenset({"id", "name", "gone", "came_back"})


@dataclass(frozen=True, slots=True)
class Row:
    """A change with its tone and its words."""

    change: ServiceChange
    tone: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A service with the currency of its price."""

    service: Watched
    currency: str | None


async def services(visit: Visit) -> Response:
    """What changed of late; with words to search for, or for all, what is offered."""
    panel = visit.argument("panel")
    panel = panel if panel in visit.site.panels else ""
    words, everything = visit.argument("words").split(), visit.argument("show") == "all"
    searching = bool(words) or everything
    found = await _offers(visit, panel or None, Wanted(words=tuple(words))) if searching else []
    span = visit.argument("span", 4)
    span = span if span in _SPANS else "7d"
    rows, whole = ((), True) if searching else await _changes(visit, panel or None, _SPANS[span])
    return visit.page(
        "services.html",
        panel=panel,
        searched=" ".join(words),
        searching=searching,
        found=found[:_SERVICES_SHOWN],
        more=len(found) > _SERVICES_SHOWN,
        rows=rows,
        whole=whole,
        most=_CHANGES_SHOWN,
        span=span,
        spans=tuple(_SPANS),
        stale=await stale_catalogues(
            visit.site.ledger, visit.site.configuration, [panel] if panel else visit.site.panels, visit.now
        ),
    )


async def _offers(visit: Visit, panel: str | None, wanted: Wanted) -> list[Offer]:
    """One more than are shown, so that it is known whether there are more."""
    found: list[Offer] = []
    currencies = await _currencies(visit)
    async for service in all_services(visit.site.ledger, panel):
        currency = currencies.get(service.entity.panel)
        if service.entity.panel in currencies and wanted.includes(service.facts, currency):
            found.append(Offer(service, currency))
            if len(found) > _SERVICES_SHOWN:
                break
    return found


async def _changes(visit: Visit, panel: str | None, span: timedelta) -> tuple[tuple[Row, ...], bool]:
    found = await changes_one_by_one(visit.site.ledger, panel, visit.now - span, visit.now, _CHANGES_SHOWN)
    currencies = await _currencies(visit)
    return tuple(_row(change, currencies) for change in found.changes), found.whole


def _row(change: ServiceChange, currencies: Mapping[str, str | None]) -> Row:
    words = differences_in_words(change, currencies.get(change.service.panel))
    return Row(change, _TONES[change.event], words)


async def _currencies(visit: Visit) -> dict[str, str | None]:
    return {name: await currency_of(visit.site.ledger, name) for name in visit.site.panels}


async def service(visit: Visit) -> Response:
    """One service: its price over time, what changed of it, what is known of it."""
    entity = Entity(
        EntityKind.SERVICE, visit.request.path_params["panel"], visit.request.path_params["service"]
    )
    ledger = visit.site.ledger
    known = await ledger.watched(entity)
    if known is None:
        raise NotFound(f"No catalogue that was read had a service {entity.panel}/{entity.id}.")
    span = visit.argument("span", 4)
    span = span if span in _PRICE_SPANS else "30d"
    since = visit.now - _PRICE_SPANS[span]
    currency = await currency_of(ledger, entity.panel)
    points = await rate_points(ledger, entity, since, visit.now)
    changes = await changes_of(ledger, entity, since, visit.now)
    title = f"Price of 1000 of {entity.panel}/{entity.id}"
    return visit.page(
        "service.html",
        entity=entity,
        service=known,
        currency=currency,
        facts=_facts(known),
        gone=known.facts.get("gone") is True,
        chart=line_chart(points, since, visit.now, title, currency or ""),
        points=list(reversed(points))[:_POINTS_SHOWN],
        rows=[_row(change, {entity.panel: currency}) for change in changes[:_CHANGES_SHOWN]],
        span=span,
        spans=tuple(_PRICE_SPANS),
    )


def _facts(known: Watched) -> dict[str, Known]:
    return {
        name: known.facts[name]
        for name in FIELDS[EntityKind.SERVICE]
        if name in known.facts and name not in _TOLD_ELSEWHERE and not name.endswith("_changed")
    }
