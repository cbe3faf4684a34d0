"""How every button acts: logged in, by a form of ours, once, and back to a page by GET."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from urllib.parse import quote

from starlette.responses import Response

from smm_rules.facts import parse_duration
from smm_rules.intake.lines import Unacceptable
from smm_rules.ledger.port import LedgerError
from smm_rules.observe import get_logger
from smm_rules.web.sessions import Session
from smm_rules.web.visit import Refused, Visit

log = get_logger(__name__)

_LONGEST = 500

#: Does what was asked, given the form's fields and who asks; what to say of it.
Act = Callable[[Mapping[str, str], str], Awaitable[str]]


def written(fields: Mapping[str, str], name: str) -> str:
    """A field of the form, without spaces around it and no longer than anybody needs."""
    return fields.get(name, "").strip()[:_LONGEST]


def reason_of(fields: Mapping[str, str]) -> str:
    """Why it is done; `Refused` without."""
    reason = written(fields, "reason")
    if not reason:
        raise Refused("Say why: the reason is shown to whoever looks, and written down")
    return reason


def duration_of(text: str) -> timedelta:
    """How long; `Refused` says how that is written."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise Refused(str(error)) from None


def must_be_logged_in(visit: Visit) -> Session | None:
    """The session; None when the visitor has to log in first. `Refused` where nobody can."""
    if visit.site.login is None:
        raise Refused(
            "There are no buttons here: the configuration names no `web.login`. Use the command line.", 403
        )
    return visit.session


async def carry_out(visit: Visit, act: Act, back: str) -> Response:
    """Do what the form asks for and lead to the page `back`, which says what came of it.

    A form that is sent twice is carried out once: the second leads to the same page. What can't be done
    leads there, too, with the reason.
    """
    session = must_be_logged_in(visit)
    if session is None:
        return visit.redirect(f"login?next={quote(f'/{back}', safe='')}")
    fields = await visit.form()
    if not session.allows(fields.get("csrf", "")):
        raise Refused("The form is too old or not ours, so nothing was done. Open the page again.", 403)
    async with session.at_work:
        form = fields.get("form", "")
        if not form:
            raise Refused("The form lacks its name, so nothing was done. Open the page again.")
        if form in session.done:
            return visit.redirect(session.done[form])
        try:
            session.notice = await act(fields, session.by)
        except (LedgerError, Unacceptable, Refused) as error:
            session.trouble = _sentence(error)
            log.info("web.refused", user=session.user, path=visit.request.scope["path"], error=str(error))
            return visit.redirect(back)
        session.remember(form, back)
    visit.site.changed()
    log.info("web.acted", user=session.user, path=visit.request.scope["path"])
    return visit.redirect(back)


def _sentence(error: Exception) -> str:
    text = str(error)
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
