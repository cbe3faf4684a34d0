"""Logging in and out."""

from __future__ import annotations

import asyncio
import hmac

from starlette.responses import Response

from smm_rules.observe import get_logger
from smm_rules.web.password import LONGEST, matches
from smm_rules.web.sessions import LIFETIME
from smm_rules.web.visit import Refused, Visit, safe_next

log = get_logger(__name__)

_FORM_COOKIE = "smm-rules-login"


async def show(visit: Visit) -> Response:
    """The form, and which page comes after it."""
    if visit.site.login is None:
        return visit.redirect("/")
    if visit.session is not None:
        return visit.redirect(safe_next(visit.argument("next", 2_000)))
    return _form(visit, "", 200)


async def log_in(visit: Visit) -> Response:
    """Check name and password. Wrong ones are answered alike, and no faster."""
    login, now = visit.site.login, visit.now
    if login is None:
        raise Refused("There is no login here: the configuration has no `web.login`.", 403)
    fields = await visit.form()
    if not visit.site.login_forms.fits(visit.request.cookies.get(_FORM_COOKIE), fields.get("csrf", ""), now):
        return _form(visit, "The form was too old. Please try again.", 403)
    async with visit.site.hashing:
        wait = visit.site.throttle.wait(visit.client, now)
        if wait:
            log.warning("web.login_throttled", client=visit.client)
            minutes = -(-wait.total_seconds() // 60)
            answer = _form(visit, f"Too many wrong passwords. Try again in {minutes:.0f} minutes.", 429)
            answer.headers["retry-after"] = str(int(wait.total_seconds()) + 1)
            return answer
        password = fields.get("password", "")[: LONGEST + 1]
        is_right = await asyncio.to_thread(matches, password, login.hash)
        is_known = hmac.compare_digest(fields.get("user", "").encode(), login.user.encode())
        if not (is_right and is_known):
            visit.site.throttle.failed(visit.client, now)
            log.warning("web.login_failed", client=visit.client)
            return _form(visit, "Name or password is wrong.", 401)
        visit.site.throttle.succeeded(visit.client)
    log.info("web.login", user=login.user, client=visit.client)
    answer = visit.redirect(safe_next(visit.argument("next", 2_000)))
    _set(visit, answer, visit.cookie_name, visit.site.sessions.begin(login.user, now))
    answer.delete_cookie(_FORM_COOKIE, path="/")
    return answer


async def log_out(visit: Visit) -> Response:
    """End the session, by a form of it alone."""
    if visit.session is not None:
        fields = await visit.form()
        if not visit.session.allows(fields.get("csrf", "")):
            raise Refused("The form is too old or not ours. Open the page again.", 403)
        log.info("web.logout", user=visit.session.user)
        visit.site.sessions.end(visit.token)
    answer = visit.redirect("login")
    answer.delete_cookie(
        visit.cookie_name, path="/", secure=visit.site.is_secure, httponly=True, samesite="strict"
    )
    return answer


def _form(visit: Visit, trouble: str, status: int) -> Response:
    token = visit.site.login_forms.new(visit.now)
    after = safe_next(visit.argument("next", 2_000))
    answer = visit.page("login.html", status, trouble=trouble, token=token, after=after)
    _set(visit, answer, _FORM_COOKIE, token)
    return answer


def _set(visit: Visit, answer: Response, name: str, value: str) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=visit.site.is_secure,
        httponly=True,
        samesite="strict",
    )
