"""Alerts: what goes on and how far anybody was told of it; silences, and what was before."""

from __future__ import annotations

from starlette.responses import Response

from smm_rules.facts import EntityKind
from smm_rules.ledger.alerts import OPEN, AlertState
from smm_rules.standing.alerts import silence_in_words, told
from smm_rules.web.visit import Visit

_SHOWN = 100
_PAST_SHOWN = 30


async def alerts(visit: Visit) -> Response:
    """What goes on first, then what is kept quiet."""
    ledger, now = visit.site.ledger, visit.now
    found = await ledger.alerts(OPEN, _SHOWN + 1)
    shown = found[:_SHOWN]
    messages = await ledger.alert_messages([alert.key for alert in shown])
    silences = await ledger.silences()
    in_force = {silence.id for silence in silences}
    loaded = visit.site.rules()
    return visit.page(
        "alerts.html",
        going_on=[(alert, told(messages.get(alert.key, ()))) for alert in shown],
        more=len(found) > len(shown),
        over=await ledger.alerts((AlertState.RESOLVED,), _PAST_SHOWN),
        silences=[
            (silence, silence_in_words(silence, now), sum(silence.matcher.matches(a.labels) for a in shown))
            for silence in silences
        ],
        past=[
            silence_in_words(silence, now)
            for silence in await ledger.silences(_PAST_SHOWN)
            if silence.id not in in_force
        ],
        rules=[rule.name for rule in loaded.rules.rules] if loaded is not None else [],
        kinds=[kind.value for kind in EntityKind],
        firing=AlertState.FIRING,
    )
