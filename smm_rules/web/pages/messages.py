"""The outbox: what couldn't be delivered, what waits, what was told."""

from __future__ import annotations

from starlette.responses import Response

from smm_rules.ledger.records import MessageState
from smm_rules.web.visit import Visit

_SHOWN = 100


async def messages(visit: Visit) -> Response:
    """Dead letters first."""
    ledger = visit.site.ledger
    totals = await ledger.totals(visit.now)
    return visit.page(
        "messages.html",
        dead=await ledger.messages((MessageState.DEAD,), _SHOWN),
        pending=await ledger.messages((MessageState.PENDING,), _SHOWN),
        delivered=await ledger.messages((MessageState.DELIVERED,), _SHOWN // 2),
        counts={state.value: totals.messages.get(state, 0) for state in MessageState},
    )
