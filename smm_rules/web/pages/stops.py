"""What keeps actions from being sent: pauses, panics and open breakers, now and before."""

from __future__ import annotations

from starlette.responses import Response

from smm_rules.ledger.stops import StopScope
from smm_rules.standing.stops import in_words
from smm_rules.web.visit import Visit

_PAST_SHOWN = 50


async def stops(visit: Visit) -> Response:
    """The stops in force, then those that have ended."""
    ledger = visit.site.ledger
    active = [stop for stop in await ledger.stops() if stop.active(visit.now)]
    ids = {stop.id for stop in active}
    past = [stop for stop in await ledger.stops(_PAST_SHOWN) if stop.id not in ids]
    loaded = visit.site.rules()
    return visit.page(
        "stops.html",
        active=[(stop, in_words(stop)) for stop in active],
        past=[(stop, in_words(stop)) for stop in past],
        rules=[rule.name for rule in loaded.rules.rules] if loaded is not None else [],
        scopes=list(StopScope),
    )
