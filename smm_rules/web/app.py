"""The application: which page is where, and how what goes wrong is answered."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from smm_rules.config.web import ListenAddress
from smm_rules.ledger.port import LedgerError
from smm_rules.observe import get_logger
from smm_rules.web import health, metrics
from smm_rules.web.buttons import alerts as alert_buttons
from smm_rules.web.buttons import brakes, hold, login, outbox, verdicts
from smm_rules.web.pages.alerts import alerts
from smm_rules.web.pages.intents import intent, intents
from smm_rules.web.pages.messages import messages
from smm_rules.web.pages.orders import order, orders
from smm_rules.web.pages.overview import overview
from smm_rules.web.pages.panels import panel
from smm_rules.web.pages.rules import rule, rules
from smm_rules.web.pages.services import service, services
from smm_rules.web.pages.statements import statements
from smm_rules.web.pages.stops import stops
from smm_rules.web.protection import FOR_PROGRAMS, Protection, names_of
from smm_rules.web.rendering import render, static_file
from smm_rules.web.site import Site
from smm_rules.web.visit import Handler, NotFound, Refused, Visit

log = get_logger(__name__)

_STATIC = {
    "style.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_PAGES: dict[str, Handler] = {
    "/": overview,
    "/panels/{panel}": panel,
    "/orders": orders,
    "/orders/{panel}/{order:path}": order,
    "/services": services,
    "/services/{panel}/{service:path}": service,
    "/rules": rules,
    "/rules/{rule}": rule,
    "/intents": intents,
    "/intents/{intent}": intent,
    "/messages": messages,
    "/alerts": alerts,
    "/stops": stops,
    "/statements": statements,
    "/intents/{intent}/{verb}": verdicts.confirm,
    "/stops/panic": brakes.ask_panic,
    "/stops/{stop}/resume": brakes.ask_resume,
    "/hold/confirm": hold.ask,
}
_FORMS: dict[str, Handler] = {
    "/intents/{intent}/{verb}": verdicts.give,
    "/stops/panic": brakes.panic,
    "/stops/pause": brakes.pause,
    "/stops/{stop}/resume": brakes.resume,
    "/alerts/{alert}/acknowledge": alert_buttons.acknowledge,
    "/silences/add": alert_buttons.silence,
    "/silences/{silence}/end": alert_buttons.end_silence,
    "/hold/confirm": hold.confirm,
    "/messages/{message}/retry": outbox.revive,
    "/messages/{message}/drop": outbox.drop,
    "/logout": login.log_out,
}


def make_app(site: Site, listen: ListenAddress) -> ASGIApp:
    """The whole application for a site that is served at `listen`."""
    routes = [
        *(Route(path, _page(handler), methods=["GET"]) for path, handler in _PAGES.items()),
        *(Route(path, _answered(handler), methods=["POST"]) for path, handler in _FORMS.items()),
        Route("/login", _answered(login.show), methods=["GET"]),
        Route("/login", _answered(login.log_in), methods=["POST"]),
        Route("/static/{name}", _static, methods=["GET"]),
        Route("/healthz", _answered(health.health), methods=["GET"]),
        Route("/readyz", _answered(health.readiness), methods=["GET"]),
        Route("/metrics", _answered(metrics.exposition), methods=["GET"]),
    ]
    application = Starlette(routes=routes, exception_handlers={HTTPException: _http_error})
    application.state.site = site
    application.router.redirect_slashes = False
    return Protection(application, names_of(listen, site.configuration.page_url), site.root)


def _page(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A page to look at: for those who may."""

    async def shown(visit: Visit) -> Response:
        if visit.site.login is not None and visit.session is None and visit.followed_a_link:
            # Asked for by our own page the browser sends the cookie that it keeps from other sites' links.
            return HTMLResponse(render("bounce.html", {"visit": visit}))
        if not visit.may_read:
            return visit.to_login()
        return await handler(visit)

    return _answered(shown)


def _answered(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Whatever goes wrong ends here: nothing of it reaches the server, or the daemon."""

    async def answer(request: Request) -> Response:
        visit = Visit(request)
        try:
            return await handler(visit)
        except NotFound as missing:
            return _trouble(visit, 404, "Not found", str(missing))
        except Refused as refusal:
            return _trouble(visit, refusal.status, "Not done", refusal.message)
        except LedgerError as error:
            log.error("web.ledger_failed", path=request.scope["path"], error=str(error))
            return _trouble(visit, 503, "The ledger can't be used", f"{error}.")
        except Exception as error:
            name = secrets.token_hex(4)
            log.exception("web.page_failed", path=request.scope["path"], error=repr(error), name=name)
            words = f"This page couldn't be made. The log has it under web.page_failed, name {name}."
            return _trouble(visit, 500, "Something went wrong", words)

    return answer


def _trouble(visit: Visit, status: int, title: str, words: str) -> Response:
    if visit.request.scope["path"] in FOR_PROGRAMS:
        return PlainTextResponse(f"{title}: {words}\n", status)
    if not visit.may_read:
        return visit.to_login() if visit.request.method == "GET" else PlainTextResponse(f"{words}\n", status)
    return visit.page("trouble.html", status, title=title, words=words)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: "There is no such page.", 405: "That can't be done to this page."}
    title = "Not found" if error.status_code == 404 else "Not done"
    return _trouble(Visit(request), error.status_code, title, words.get(error.status_code, error.detail))


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _STATIC:
        return PlainTextResponse("Not found.\n", 404)
    kept = {"cache-control": "public, max-age=31536000, immutable"}
    return Response(static_file(name), media_type=_STATIC[name], headers=kept)
