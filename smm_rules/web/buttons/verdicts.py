"""Approve, deny, and the word on an action in doubt: what `smm-rules intents` does, by the same ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.responses import Response

from smm_rules import actions
from smm_rules.actions.circumstances import BUYING
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.notify import pages
from smm_rules.standing.evidence import money_in_words, suggestion_in_words
from smm_rules.standing.overview import held_back, stamp_trouble
from smm_rules.web.buttons.acting import Act, carry_out, must_be_logged_in
from smm_rules.web.pages.intents import the_intent
from smm_rules.web.visit import NotFound, Refused, Visit

DENY = "deny"
#: Each verdict and the states it is for.
VERDICTS = {
    "approve": (IntentState.HELD,),
    DENY: (IntentState.HELD, IntentState.PLANNED),
    "happened": (IntentState.UNKNOWN,),
    "did-not": (IntentState.UNKNOWN,),
}


async def confirm(visit: Visit) -> Response:
    """What exactly would be done, before it is."""
    verb = _verb(visit)
    if must_be_logged_in(visit) is None:
        return visit.to_login()
    intent = await the_intent(visit)
    if intent.state not in VERDICTS[verb]:
        return visit.redirect(pages.intent(intent.id))
    return visit.page(
        "verdict.html",
        intent=intent,
        verb=verb,
        buys=intent.kind in BUYING,
        money_words=money_in_words(intent),
        suggestion=suggestion_in_words(intent),
        mode=visit.site.configuration.mode,
        obstacle=await _obstacle(visit),
        seen=await _changes(visit, intent),
    )


async def _obstacle(visit: Visit) -> str:
    """What keeps everything from being sent, approved or not; empty when nothing does."""
    ledger = visit.site.ledger
    hold = await held_back(ledger)
    if hold is not None:
        return f"The ledger is on hold: {hold.sentence} Nothing is sent until that is confirmed."
    trouble = stamp_trouble(ledger, await ledger.daemon(), await ledger.heartbeat())
    return f"Nothing is sent now: {trouble}." if trouble else ""


async def give(visit: Visit) -> Response:
    """Carry the verdict out."""
    verb = _verb(visit)
    intent = await the_intent(visit)
    made: dict[str, Callable[[Visit, Intent], Act]] = {
        "approve": _approve,
        DENY: _deny,
        "happened": _happened,
        "did-not": _did_not,
    }
    act = _on_what_was_shown(visit, intent.id, verb, made[verb](visit, intent))
    return await carry_out(visit, act, pages.intent(intent.id))


def _on_what_was_shown(visit: Visit, intent_id: int, verb: str, act: Act) -> Act:
    """`act`, unless the intent has changed since the page with the form was shown.

    What was in doubt may have been sent again since and be in doubt anew, and what was held may be held anew,
    for a higher price: neither is what the form's sender has looked at. To give it up is right in any case.
    """
    if verb == DENY:
        return act

    async def checked(fields: Mapping[str, str], by: str) -> str:
        now = await visit.site.ledger.intent(intent_id)
        changed = now is not None and fields.get("seen") != await _changes(visit, now)
        if now is not None and now.state in VERDICTS[verb] and changed:
            raise Refused("It has changed since that page was shown, so nothing was done. Look at it again.")
        return await act(fields, by)

    return checked


async def _changes(visit: Visit, intent: Intent) -> str:
    """How often an intent has changed its state so far: a page that says so shows it as it was then."""
    return str(len(await visit.site.ledger.transitions(intent.id)))


def _verb(visit: Visit) -> str:
    verb: str = visit.request.path_params["verb"]
    if verb not in VERDICTS:
        raise NotFound(f"Nothing is called {verb} here.")
    return verb


def _approve(visit: Visit, intent: Intent) -> Act:
    async def act(_: Mapping[str, str], by: str) -> str:
        await actions.approve(visit.site.ledger, intent.id, visit.now, by)
        mode = visit.site.configuration.mode
        if mode != "live":
            return f"Approved. The configuration says mode: {mode}, so it is held again."
        return (
            "Approved. It is sent at the daemon's next look, after its price and bounds were checked again."
        )

    return act


def _deny(visit: Visit, intent: Intent) -> Act:
    async def act(_: Mapping[str, str], by: str) -> str:
        await actions.deny(visit.site.ledger, intent.id, visit.now, by)
        return "Denied. It is never sent."

    return act


def _happened(visit: Visit, intent: Intent) -> Act:
    async def act(fields: Mapping[str, str], by: str) -> str:
        site = visit.site
        made = fields.get("made", "")[:200]
        settled = await actions.resolve_happened(site.ledger, site.voice, intent.id, made, visit.now, by)
        return f"It counts as done{f'; {settled.result} is watched from now on' if settled.result else ''}."

    return act


def _did_not(visit: Visit, intent: Intent) -> Act:
    async def act(fields: Mapping[str, str], by: str) -> str:
        site, retry = visit.site, fields.get("retry") == "yes"
        await actions.resolve_did_not(site.ledger, site.voice, intent.id, visit.now, by, retry=retry)
        return "It is planned once more." if retry else "It counts as not sent; its money is free again."

    return act
