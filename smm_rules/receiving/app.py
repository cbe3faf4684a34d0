"""The application: which call is where, and how what goes wrong is answered."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from smm_rules.ledger.port import LedgerError, StateConflict
from smm_rules.observe import get_logger
from smm_rules.receiving import reading
from smm_rules.receiving.call import Call, answered, refused
from smm_rules.receiving.health import health
from smm_rules.receiving.openapi import document
from smm_rules.receiving.placing import place
from smm_rules.receiving.problem import Code, Problem
from smm_rules.receiving.reception import Reception
from smm_rules.receiving.tracking import track

log = get_logger(__name__)

Handler = Callable[[Call], Awaitable[Response]]
_AGAIN = "Ask again in a while, with the same key and the same body"
_SOON = {"Retry-After": "5"}


def make_app(reception: Reception) -> Starlette:
    """The whole application."""
    routes = [
        _route("/orders", "POST", "track", track),
        _route("/orders/place", "POST", "place", place),
        _route("/orders/{panel}/{order}", "GET", "order", reading.order),
        _route("/intents/{intent}", "GET", "intent", reading.intent),
        _route("/healthz", "GET", "health", health),
        _route("/openapi.json", "GET", "openapi", _openapi),
    ]
    application = Starlette(routes=routes, exception_handlers={HTTPException: _http_error})
    application.state.reception = reception
    application.router.redirect_slashes = False
    return application


def _route(path: str, method: str, operation: str, handler: Handler) -> Route:
    async def answer(request: Request) -> Response:
        call = Call(request)
        response = await _answered(call, operation, handler)
        call.reception.host.counters.increment(
            "intake_requests", client=call.client, operation=operation, status=str(response.status_code)
        )
        return response

    return Route(path, answer, methods=[method])


async def _answered(call: Call, operation: str, handler: Handler) -> Response:
    """Whatever goes wrong ends here: nothing of it reaches the server, or the daemon."""
    try:
        return await handler(call)
    except Problem as problem:
        log.info("intake.http_refused", client=call.client, operation=operation, code=problem.code.value)
        return refused(call, problem)
    except StateConflict as error:
        log.error("intake.http_ledger_failed", operation=operation, error=str(error))
        return refused(call, Problem(503, Code.ON_HOLD, str(error), _AGAIN, headers=_SOON))
    except LedgerError as error:
        # Whether it was written may not be known. Under the same key asking again does no harm.
        log.error("intake.http_ledger_failed", operation=operation, error=str(error))
        what = "the ledger couldn't be read or written, so whether anything was done isn't known"
        return refused(call, Problem(503, Code.LEDGER, what, _AGAIN, headers=_SOON))
    except ClientDisconnect:
        return Response(status_code=400)  # nobody hears it
    except Exception as error:
        name = secrets.token_hex(4)
        log.exception("intake.http_call_failed", operation=operation, error=repr(error), name=name)
        what = f"the request couldn't be answered; the log has it under intake.http_call_failed, name {name}"
        return refused(call, Problem(500, Code.FAULT, what, _AGAIN))


async def _openapi(call: Call) -> Response:
    return answered(json.dumps(document(call.reception.settings)))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, what = Code.NOT_FOUND, "there is nothing at this path"
    if error.status_code == 405:
        code, what = Code.METHOD, f"{request.method} can't be done to this path"
    problem = Problem(error.status_code, code, what, "See /openapi.json", headers=dict(error.headers or {}))
    return refused(Call(request), problem)
