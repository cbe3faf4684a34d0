"""End the hold after a restore: what `smm-rules hold confirm` does, after showing what may be forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from starlette.responses import Response

from smm_rules.engine.memory import Reason
from smm_rules.ledger.records import IntentState
from smm_rules.notify import pages
from smm_rules.standing.gap import gap_lines
from smm_rules.standing.times import moment
from smm_rules.web.buttons.acting import carry_out, duration_of, must_be_logged_in
from smm_rules.web.visit import Refused, Visit

_MANY = 10_000


async def ask(visit: Visit) -> Response:
    """Why nothing is sent, what may have been forgotten, and the button."""
    if must_be_logged_in(visit) is None:
        return visit.to_login()
    ledger = visit.site.ledger
    hold = await ledger.open_hold()
    if hold is None:
        return visit.redirect(pages.HOME)
    held = await ledger.intents((IntentState.HELD,), _MANY)
    return visit.page(
        "hold.html",
        hold=hold,
        gap=tuple(gap_lines(hold.gap)),
        unseen=await ledger.unseen(visit.site.panels),
        waiting=sum(intent.reason == Reason.RESTORED for intent in held),
    )


async def confirm(visit: Visit) -> Response:
    """Rules may act again on what began since the moment given, by default now."""

    async def act(fields: Mapping[str, str], by: str) -> str:
        ledger = visit.site.ledger
        hold = await ledger.open_hold()
        if hold is None or fields.get("seen") != str(hold.id):
            raise Refused("That hold is over, so nothing was done")
        unseen = await ledger.unseen(visit.site.panels)
        if unseen and fields.get("unseen") != "yes":
            raise Refused(
                f"{unseen:,} of the orders weren't looked at since the hold began. Let the daemon run until "
                "it has, or say in the form that what it finds then may be taken for new"
            )
        since = _since(fields.get("lasting", ""), visit.now)
        done = await ledger.confirm_hold(since, by, visit.now)
        released = f" {len(done.released):,} held actions go ahead by that." if done.released else ""
        return f"Rules act again on what began since {moment(since)}.{released} What began before stays held."

    return await carry_out(visit, act, pages.HOME)


def _since(lasting: str, now: datetime) -> datetime:
    return now - duration_of(lasting) if lasting.strip() else now
