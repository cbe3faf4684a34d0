"""Rules: which there are and when they fired, and everything on one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import dedent

from starlette.responses import Response

from smm_rules.facts import format_duration
from smm_rules.ledger.figures import RuleFigures
from smm_rules.ledger.stops import StopScope
from smm_rules.rules.model import Mode, Rule, RuleSet
from smm_rules.standing.stops import in_words as stop_in_words
from smm_rules.web.visit import NotFound, Visit

_DAY = timedelta(days=1)
_PAGE = 30
_INTENTS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule in the list. `rule` is None for one that fired and isn't in the files any more."""

    name: str
    rule: Rule | None
    fired: int
    last_at: datetime | None
    remembers: int
    stopped: str


async def rules(visit: Visit) -> Response:
    """Every rule, in the order of the files, then those that are gone."""
    loaded = visit.site.rules()
    current = loaded.rules if loaded is not None else RuleSet()
    figures = await visit.site.ledger.rule_figures(visit.now - _DAY)
    remembered = await visit.site.ledger.remembered_rules()
    stopped = await _stopped(visit)
    names = [rule.name for rule in current.rules]
    gone = sorted({*figures, *remembered} - set(names))
    rows = [_row(name, current, figures, remembered, stopped) for name in (*names, *gone)]
    return visit.page("rules.html", rows=rows, readable=loaded is not None)


def _row(
    name: str,
    current: RuleSet,
    figures: dict[str, RuleFigures],
    remembered: dict[str, int],
    stopped: dict[str, str],
) -> RuleRow:
    found = figures.get(name)
    return RuleRow(
        name,
        current.named(name),
        found.fired if found else 0,
        found.last_at if found else None,
        remembered.get(name, 0),
        stopped.get(name, ""),
    )


async def _stopped(visit: Visit) -> dict[str, str]:
    return {
        stop.name: stop_in_words(stop)
        for stop in await visit.site.ledger.stops()
        if stop.scope is StopScope.RULE and stop.active(visit.now)
    }


async def rule(visit: Visit) -> Response:
    """One rule: its text, its bounds, its firings, its actions."""
    name = visit.request.path_params["rule"]
    loaded = visit.site.rules()
    found = loaded.rules.named(name) if loaded is not None else None
    ledger = visit.site.ledger
    firings = await ledger.latest_firings(_PAGE + 1, name, visit.number("before"))
    figures = (await ledger.rule_figures(visit.now - _DAY)).get(name)
    if found is None and not firings and figures is None:
        raise NotFound(f"There is no rule {name}, and none of that name has fired.")
    return visit.page(
        "rule.html",
        name=name,
        rule=found,
        text=dedent(loaded.texts.get(name, "")) if loaded is not None else "",
        bounds=bounds(found) if found is not None else {},
        figures=figures,
        remembers=(await ledger.remembered_rules()).get(name, 0),
        firings=firings[:_PAGE],
        more=firings[_PAGE - 1].id if len(firings) > _PAGE else None,
        intents=await ledger.intents_page((), _INTENTS_SHOWN, rule=name),
        stopped=(await _stopped(visit)).get(name, ""),
    )


def bounds(rule: Rule) -> dict[str, str]:
    """What bounds a rule, by the keys of its file."""
    limit, guards = rule.limit, rule.guards
    told = {
        "per order": limit.per_order,
        "every": format_duration(limit.every) if limit.every else None,
        "per chain": limit.per_chain,
        "per sweep": limit.per_sweep,
        "may spend": ", ".join(str(one) for one in guards.spend) or None,
        "mode": guards.mode.value.replace("_", " ") if guards.mode is not Mode.LIVE else None,
    }
    if guards.approval is not None:
        above = guards.approval.above
        told["waits for approval"] = "always" if above is None else f"above {above:f}"
        if guards.approval.expires is not None:
            told["denied after"] = format_duration(guards.approval.expires)
    return {name: str(value) for name, value in told.items() if value is not None}
