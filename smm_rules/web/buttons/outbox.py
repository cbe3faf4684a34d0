"""Dead letters: try one again, or let it be."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from smm_rules.notify import pages
from smm_rules.web.buttons.acting import carry_out
from smm_rules.web.visit import Visit


async def revive(visit: Visit) -> Response:
    """Deliver a dead message after all."""
    number = visit.numbered("message")

    async def act(_: Mapping[str, str], by: str) -> str:
        revived = await visit.site.ledger.revive([number], visit.now, by)
        return "It is tried again now." if revived else "It wasn't dead any more."

    return await carry_out(visit, act, pages.MESSAGES)


async def drop(visit: Visit) -> Response:
    """Give a dead message up."""
    number = visit.numbered("message")

    async def act(_: Mapping[str, str], by: str) -> str:
        dropped = await visit.site.ledger.drop([number], visit.now, by)
        return "It is dropped and never delivered." if dropped else "It wasn't waiting any more."

    return await carry_out(visit, act, pages.MESSAGES)
