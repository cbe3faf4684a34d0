"""Acknowledge an alert, begin and end a silence: what `smm-rules alerts ack` and `silence` do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from starlette.responses import Response

from smm_rules.facts import EntityKind
from smm_rules.ledger.alerts import Matcher
from smm_rules.notify import pages
from smm_rules.standing.alerts import not_firing, silence_in_words
from smm_rules.web.buttons.acting import carry_out, duration_of, reason_of, written
from smm_rules.web.visit import Refused, Visit

_LEVELS = ("", "debug", "info", "warning", "error")
_KINDS = ("", *(kind.value for kind in EntityKind))


async def acknowledge(visit: Visit) -> Response:
    """Somebody knows of an alert and does something about it."""
    number = visit.numbered("alert")

    async def act(fields: Mapping[str, str], by: str) -> str:
        alert, changed = await visit.site.ledger.acknowledge(number, by, reason_of(fields), visit.now)
        if not changed:
            raise Refused(not_firing(alert, number))
        return f"Alert {number} is acknowledged: nobody is reminded of it any more. Its end is told."

    return await carry_out(visit, act, pages.ALERTS)


async def silence(visit: Visit) -> Response:
    """Keep alerts back for a time."""

    async def act(fields: Mapping[str, str], by: str) -> str:
        matcher = _matcher(fields)
        made = await visit.site.ledger.add_silence(
            matcher, reason_of(fields), by, visit.now, visit.now + _lasting(fields.get("lasting", ""))
        )
        return f"Silence {silence_in_words(made, visit.now)}."

    return await carry_out(visit, act, pages.ALERTS)


async def end_silence(visit: Visit) -> Response:
    """Tell again, beginning with what was kept back and still goes on."""
    number = visit.numbered("silence")

    async def act(_: Mapping[str, str], by: str) -> str:
        if await visit.site.ledger.end_silence(number, visit.now, by):
            return "Ended. What it kept back and still goes on is told now."
        return "It had ended already."

    return await carry_out(visit, act, pages.ALERTS)


def _matcher(fields: Mapping[str, str]) -> Matcher:
    rule, panel, kind, entity, level = (
        written(fields, name) for name in ("rule", "panel", "kind", "entity", "level")
    )
    if kind not in _KINDS or level not in _LEVELS:
        raise Refused("There is no such kind or level of alerts")
    matcher = Matcher(rule, panel, kind, entity, level)
    if not matcher.given:
        raise Refused("Say which alerts: a rule, a panel, a kind, an ID or a level; rule * is for all")
    return matcher


def _lasting(text: str) -> timedelta:
    lasting = duration_of(text)
    if lasting <= timedelta():
        raise Refused("It would be over at once")
    return lasting
