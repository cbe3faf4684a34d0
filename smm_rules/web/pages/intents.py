"""Intents: every action by its state, and everything on one."""

from __future__ import annotations

from datetime import datetime

from starlette.responses import Response

from smm_rules.actions.circumstances import BUYING
from smm_rules.actions.failover import choice_of
from smm_rules.actions.queueing import waits_behind_stopped
from smm_rules.explanation.choices import choice_in_words
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.standing.evidence import money_in_words, other_evidence, sent_parameters, suggestion_in_words
from smm_rules.standing.next_steps import what_next
from smm_rules.standing.since import gather_since, since_in_words
from smm_rules.web.visit import NotFound, Visit

_PAGE = 50


async def intents(visit: Visit) -> Response:
    """The actions in a state, or all, the newest first."""
    text = visit.argument("state", 20)
    state = IntentState(text) if text in list(IntentState) else None
    rule, panel = visit.argument("rule") or None, visit.argument("panel") or None
    before = visit.number("before")
    found = await visit.site.ledger.intents_page(
        [state] if state is not None else (), _PAGE + 1, before, rule, panel
    )
    totals = await visit.site.ledger.totals(visit.now)
    return visit.page(
        "intents.html",
        intents=found[:_PAGE],
        more=found[_PAGE - 1].id if len(found) > _PAGE else None,
        state=state.value if state is not None else "",
        states=[(one.value, totals.intents.get(one, 0)) for one in IntentState],
        total=sum(totals.intents.values()),
        rule=rule or "",
        panel=panel or "",
        is_first=before is None,
    )


async def the_intent(visit: Visit) -> Intent:
    """The intent that the path names; `NotFound` when there is none."""
    number = visit.numbered("intent")
    found = await visit.site.ledger.intent(number)
    if found is None:
        raise NotFound(f"There is no intent {number}.")
    return found


async def intent(visit: Visit) -> Response:
    """One action: what was asked for, by whom and on which facts, every change, and what to do next."""
    found = await the_intent(visit)
    ledger = visit.site.ledger
    sent = sent_parameters(found)
    behind = await waits_behind_stopped(ledger, found, visit.now)
    return visit.page(
        "intent.html",
        intent=found,
        sent=bool(sent),
        parameters=sent or found.parameters,
        money_words=money_in_words(found),
        suggestion=suggestion_in_words(found),
        choice=choice_in_words(choice_of(found)),
        evidence={
            name.replace("_", " "): _instant_or_text(text) for name, text in other_evidence(found).items()
        },
        since=since_in_words(await gather_since(ledger, found, visit.now)),
        transitions=await ledger.transitions(found.id),
        firing=None if found.firing is None else await ledger.firing(found.firing),
        behind=behind,
        next_steps=what_next(found, behind),
        buys=found.kind in BUYING,
    )


def _instant_or_text(text: str) -> datetime | str:
    """An instant that was noted, to be shown like all others; else the text itself."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return found if found.tzinfo is not None else text
