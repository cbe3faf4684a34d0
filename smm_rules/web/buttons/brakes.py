"""Pause, panic and resume: what the commands of these names do, by the same ways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from starlette.responses import Response

from smm_rules.ledger.records import IntentState
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.notify import pages
from smm_rules.standing.stops import in_words
from smm_rules.web.buttons.acting import carry_out, duration_of, must_be_logged_in, reason_of, written
from smm_rules.web.visit import Refused, Visit


async def ask_panic(visit: Visit) -> Response:
    """What a panic does, and the button for it."""
    if must_be_logged_in(visit) is None:
        return visit.to_login()
    return visit.page("panic.html")


async def panic(visit: Visit) -> Response:
    """Stop everything that acts on a panel."""

    async def act(fields: Mapping[str, str], by: str) -> str:
        reason = written(fields, "reason") or "panic"
        await visit.site.ledger.stop(StopKind.PANIC, StopScope.ALL, "", reason, by, visit.now)
        sending = await visit.site.ledger.intents((IntentState.SENDING,), 1_000)
        if not sending:
            return "Stopped. Nothing that acts on a panel is sent any more."
        return (
            f"Stopped. {len(sending)} being sent before it have no answer yet; nothing else leaves. "
            "They are listed under Intents, state sending."
        )

    return await carry_out(visit, act, pages.STOPS)


async def pause(visit: Visit) -> Response:
    """Let a rule, a panel or everything rest."""

    async def act(fields: Mapping[str, str], by: str) -> str:
        scope, name = _target(visit, fields.get("what", ""))
        reason, until = reason_of(fields), _end(fields.get("lasting", ""), visit.now)
        stop = await visit.site.ledger.stop(StopKind.PAUSE, scope, name, reason, by, visit.now, until)
        return f"{in_words(stop)}."

    return await carry_out(visit, act, pages.STOPS)


def _target(visit: Visit, what: str) -> tuple[StopScope, str]:
    """`all`, `panel:main` or `rule:top-up`; `Refused` for what there isn't."""
    kind, _, name = what.partition(":")
    if kind == StopScope.ALL and not name:
        return StopScope.ALL, ""
    if kind == StopScope.PANEL and name in visit.site.panels:
        return StopScope.PANEL, name
    loaded = visit.site.rules()
    if kind == StopScope.RULE and loaded is not None and loaded.rules.named(name) is not None:
        return StopScope.RULE, name
    raise Refused(f"There is no {what.replace(':', ' ') or 'such thing'} to be paused")


def _end(lasting: str, now: datetime) -> datetime | None:
    return now + duration_of(lasting) if lasting.strip() else None


async def ask_resume(visit: Visit) -> Response:
    """What goes on when a stop ends, before it does."""
    if must_be_logged_in(visit) is None:
        return visit.to_login()
    number = visit.numbered("stop")
    stop = next((one for one in await visit.site.ledger.stops() if one.id == number), None)
    if stop is None:
        return visit.redirect(pages.STOPS)
    planned = (await visit.site.ledger.totals(visit.now)).intents.get(IntentState.PLANNED, 0)
    return visit.page("resume.html", stop=stop, words=in_words(stop), planned=planned)


async def resume(visit: Visit) -> Response:
    """End a stop."""
    number = visit.numbered("stop")

    async def act(_: Mapping[str, str], by: str) -> str:
        if await visit.site.ledger.end_stop(number, visit.now, by):
            return "Ended. What is planned is checked anew before it is sent; what was held waits for you."
        return "It had ended already."

    return await carry_out(visit, act, pages.STOPS)
