"""One panel: how it answers, its balance over time, its orders, what was done on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from smm_rules.charts.svg import line_chart
from smm_rules.config.model import PanelSettings
from smm_rules.facts import Entity, EntityKind
from smm_rules.history.balances import balance_points
from smm_rules.ledger.stops import StopScope
from smm_rules.polling.carried import read_carried
from smm_rules.standing.overview import gather
from smm_rules.standing.stops import in_words as stop_in_words
from smm_rules.web.pages.statuses import counts_of, status_bar
from smm_rules.web.visit import NotFound, Visit

_SPANS = {f"{days}d": timedelta(days=days) for days in (1, 7, 30, 90)}
_READINGS_SHOWN = 50
_INTENTS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Look:
    """A kind of look at the panel: how often, and how it fails, if it does."""

    what: str
    every: timedelta
    failing_since: str
    failures: int
    error: str


async def panel(visit: Visit) -> Response:
    """The panel named in the path."""
    name = visit.request.path_params["panel"]
    settings = visit.site.configuration.panel(name)
    if settings is None:
        raise NotFound(f"There is no panel {name} in the configuration.")
    ledger, now = visit.site.ledger, visit.now
    standing = await gather(ledger, visit.site.configuration, now)
    span = visit.argument("span", 4)
    span = span if span in _SPANS else "7d"
    since = now - _SPANS[span]
    points = await balance_points(ledger, Entity(EntityKind.BALANCE, name), since, now)
    found = next(one for one in standing.panels if one.panel == name)
    health = await ledger.watched(Entity(EntityKind.PANEL, name))
    statuses = counts_of(await visit.site.statuses(), name)
    return visit.page(
        "panel.html",
        panel=found,
        health=health.facts if health is not None else {},
        looks=await _looks(visit, settings),
        overdue_since=found.overdue_since,
        statuses=statuses,
        status_bar=status_bar(statuses, f"Orders on {name} by status"),
        chart=line_chart(points, since, now, f"Balance of {name}", found.currency or ""),
        points=list(reversed(points))[:_READINGS_SHOWN],
        span=span,
        spans=tuple(_SPANS),
        intents=await ledger.intents_page((), _INTENTS_SHOWN, panel=name),
        reserved=await ledger.reserved(name),
        stops=[
            (stop, stop_in_words(stop))
            for stop in standing.stops
            if stop.scope is not StopScope.RULE and stop.concerns("", name)
        ],
        calls=_calls(visit, name),
    )


async def _looks(visit: Visit, settings: PanelSettings) -> list[Look]:
    beat = await visit.site.ledger.heartbeat()
    outages = read_carried(beat.detail).outages.get(settings.name, {}) if beat is not None else {}
    looks = []
    for what in ("orders", "refills", "balance", "catalogue"):
        outage = outages.get(what)
        looks.append(
            Look(
                what,
                getattr(settings.poll, what),
                outage.since.isoformat() if outage else "",
                outage.failures if outage else 0,
                outage.error if outage else "",
            )
        )
    return looks


def _calls(visit: Visit, name: str) -> list[tuple[str, str, int]]:
    """How requests to the panel ended since the daemon started; nothing without a daemon in this process."""
    if visit.site.engine is None:
        return []
    return [
        (labels.get("action", ""), labels.get("outcome", ""), count.value)
        for count in visit.site.engine.counters.snapshot()
        if count.name == "requests" and (labels := dict(count.labels)).get("panel") == name
    ]
