"""The first page: what waits for the operator, then how everything stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup
from starlette.responses import Response

from smm_rules.charts.svg import meter, sparkline
from smm_rules.facts import Entity, EntityKind
from smm_rules.history.balances import balance_points
from smm_rules.ledger.alerts import OPEN
from smm_rules.ledger.records import MessageState
from smm_rules.ledger.stops import StopKind
from smm_rules.rules.model import RuleSet
from smm_rules.standing.budgets import gather_budgets
from smm_rules.standing.evidence import money_in_words, suggestion_in_words
from smm_rules.standing.gap import gap_lines
from smm_rules.standing.overview import PanelStanding, gather
from smm_rules.standing.stops import in_words as stop_in_words
from smm_rules.web.pages.statuses import StatusCount, counts_of
from smm_rules.web.visit import Visit

_WEEK = timedelta(days=7)
_DAY = timedelta(days=1)
_MESSAGES_SHOWN = 8
_RULES_SHOWN = 8
_ALERTS_SHOWN = 8
_BUDGETS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class PanelCard:
    """A panel at a glance."""

    standing: PanelStanding
    spark: Markup
    statuses: tuple[StatusCount, ...]


async def overview(visit: Visit) -> Response:
    """In doubt first, with the evidence there is; then what is held, stopped, and the rest."""
    site, now = visit.site, visit.now
    standing = await gather(site.ledger, site.configuration, now)
    hold = await site.ledger.open_hold()
    loaded = site.rules()
    rules = loaded.rules if loaded is not None else RuleSet()
    allowances = await gather_budgets(site.ledger, site.configuration, rules, now)
    return visit.page(
        "overview.html",
        standing=standing,
        hold=hold,
        gap=tuple(gap_lines(hold.gap)) if hold is not None else (),
        unseen=await site.ledger.unseen(site.panels) if hold is not None else 0,
        doubts=[(intent, suggestion_in_words(intent), money_in_words(intent)) for intent in standing.unknown],
        stops=[(stop, stop_in_words(stop)) for stop in standing.stops],
        alarming=any(stop.kind is not StopKind.PAUSE for stop in standing.stops),
        cards=[await _card(visit, panel) for panel in standing.panels],
        budgets=[(one, meter(one.share, one.title)) for one in allowances[:_BUDGETS_SHOWN]],
        active=await _active(visit),
        rules_readable=loaded is not None,
        rule_count=len(rules.rules),
        dead=await site.ledger.messages((MessageState.DEAD,), _MESSAGES_SHOWN),
        alerts=await site.ledger.alerts(OPEN, _ALERTS_SHOWN),
        messages=await site.ledger.messages((), _MESSAGES_SHOWN),
        refresh=_refresh(visit),
    )


async def _card(visit: Visit, panel: PanelStanding) -> PanelCard:
    ledger, now = visit.site.ledger, visit.now
    points = await balance_points(ledger, Entity(EntityKind.BALANCE, panel.panel), now - _WEEK, now)
    return PanelCard(
        panel,
        sparkline(points, now - _WEEK, now, f"Balance of {panel.panel} over the last 7 days"),
        counts_of(await visit.site.statuses(), panel.panel),
    )


async def _active(visit: Visit) -> Sequence[tuple[str, int, datetime]]:
    """The rules that fired in the last day, the last one first."""
    figures = await visit.site.ledger.rule_figures(visit.now - _DAY)
    fired = [(name, found.fired, found.last_at) for name, found in figures.items() if found.fired]
    return sorted(fired, key=lambda one: one[2], reverse=True)[:_RULES_SHOWN]


def _refresh(visit: Visit) -> int | None:
    """The page asks for itself again after so many seconds, if that was wished for."""
    seconds = visit.number("refresh")
    return min(max(seconds, 10), 3600) if seconds else None
