"""The endpoints under /control by which a test in another process moves the panel. Loopback only."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from smm_rules.simulator.app import BodyTooLarge, Disconnected, read_body
from smm_rules.simulator.catalogue import AfterPartial, Service
from smm_rules.simulator.journal import Kind
from smm_rules.simulator.simulator import Simulator

_MOST_LISTED = 1000
_LARGEST_BODY = 100_000
#: The fields of a service that a control call may change, and how their JSON values become theirs.
_SERVICE_FIELDS: dict[str, Callable[[Any], Any]] = {
    "name": str,
    "type": str,
    "category": str,
    "rate": lambda value: Decimal(str(value)),
    "min": int,
    "max": int,
    "refill": bool,
    "cancel": bool,
    "dripfeed": bool,
    "after_partial": AfterPartial,
}

Perform = Callable[[Request, dict[str, Any]], Any]


class Unacceptable(Exception):
    """A control call that makes no sense; the text says why."""


def controls(simulator: Simulator) -> Starlette:
    """The application behind /control."""
    routes = _Controls(simulator)
    return Starlette(
        routes=[
            Route("/control/journal", _guarded(routes.journal), methods=["GET"]),
            Route("/control/state", _guarded(routes.state), methods=["GET"]),
            Route("/control/orders", _guarded(routes.orders), methods=["GET"]),
            Route("/control/orders", _guarded(routes.add_order), methods=["POST"]),
            Route("/control/orders/{order}", _guarded(routes.set_order), methods=["POST"]),
            Route("/control/refills/{refill}", _guarded(routes.set_refill), methods=["POST"]),
            Route("/control/faults", _guarded(routes.faults), methods=["POST"]),
            Route("/control/balance", _guarded(routes.balance), methods=["POST"]),
            Route("/control/services/{service:int}", _guarded(routes.service), methods=["POST"]),
            Route("/control/advance", _guarded(routes.advance), methods=["POST"]),
        ]
    )


def _guarded(perform: Perform) -> Callable[[Request], Awaitable[Response]]:
    """Let `perform` answer callers on this machine, and turn what it finds wrong into 4xx."""

    async def endpoint(request: Request) -> Response:
        if not _is_local(request):
            return _failure(403, "the controls answer callers on this machine only")
        try:
            fields = await _fields(request) if request.method == "POST" else {}
            return JSONResponse(_plain(perform(request, fields)))
        except Unacceptable as error:
            return _failure(400, str(error))
        except BodyTooLarge:
            return _failure(413, f"a control call has at most {_LARGEST_BODY} bytes")
        except KeyError as error:
            return _failure(404, str(error.args[0]))
        except (ValueError, TypeError, InvalidOperation, OverflowError) as error:
            return _failure(400, f"{type(error).__name__}: {error}")

    return endpoint


def _is_local(request: Request) -> bool:
    if request.client is None:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


async def _fields(request: Request) -> dict[str, Any]:
    # A web page can't send this type across origins unasked, so no page can move the panel.
    if request.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        raise Unacceptable("send the body as Content-Type: application/json")
    try:
        fields = json.loads(await read_body(request.receive, _LARGEST_BODY) or b"{}")
    except (ValueError, RecursionError):
        raise Unacceptable("the body is not JSON") from None
    except Disconnected:
        raise Unacceptable("the body never came") from None
    if not isinstance(fields, dict):
        raise Unacceptable("the body must be a JSON object")
    return fields


def _failure(code: int, words: str) -> Response:
    return JSONResponse({"error": words}, code)


def _plain(value: Any) -> Any:
    """`value` in JSON's own types."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _take(fields: dict[str, Any], *known: str) -> None:
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise Unacceptable(f"unknown field {unknown[0]!r}; there are {', '.join(known)}")


def _need(fields: dict[str, Any], name: str) -> Any:
    if name not in fields:
        raise Unacceptable(f"{name!r} is missing")
    return fields[name]


def _money(value: Any) -> Decimal:
    amount = Decimal(str(value))
    if not amount.is_finite():
        raise Unacceptable(f"{value!r} is not an amount of money")
    return amount


class _Controls:
    """What each endpoint does."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def journal(self, request: Request, _: dict[str, Any]) -> Any:
        """Entries after number `since`, of one `kind` or all, at most `limit` of them."""
        since = int(request.query_params.get("since", "0"))
        limit = int(request.query_params.get("limit", str(_MOST_LISTED)))
        kind = request.query_params.get("kind")
        wanted = Kind(kind) if kind else None
        entries = (
            entry
            for entry in self._simulator.journal.entries
            if entry.n > since and wanted in (None, entry.kind)
        )
        return {"entries": [asdict(entry) for entry in islice(entries, max(0, limit))]}

    def state(self, _: Request, __: dict[str, Any]) -> Any:
        """The panel at a glance."""
        simulator = self._simulator
        return {
            "now": simulator.now(),
            "speed": simulator.clock.speed,
            "dialect": str(simulator.settings.dialect),
            "scenario": simulator.settings.scenario,
            "seed": simulator.settings.seed,
            "orders": len(simulator.orders),
            "refills": [asdict(refill) for refill in simulator.refills()[-_MOST_LISTED:]],
            "accounts": [
                {
                    "label": account.label,
                    "balance": simulator.balance(account.label),
                    "currency": account.currency,
                }
                for account in simulator.settings.accounts
            ],
            "services": [asdict(service) for service in simulator.services()],
            "faults": simulator.faults.pending(),
        }

    def orders(self, request: Request, _: dict[str, Any]) -> Any:
        """Orders after the first `skip`, at most `limit`."""
        skip = int(request.query_params.get("skip", "0"))
        limit = min(int(request.query_params.get("limit", str(_MOST_LISTED))), _MOST_LISTED)
        numbers = islice(self._simulator.orders, max(0, skip), max(0, skip) + max(0, limit))
        return {"orders": [asdict(self._simulator.order(number)) for number in numbers]}

    def add_order(self, _: Request, fields: dict[str, Any]) -> Any:
        """An order as if bought on the panel's own site."""
        _take(fields, "service", "quantity", "link", "status", "remains", "label")
        return asdict(self._simulator.order(self._simulator.add_order(**fields)))

    def set_order(self, request: Request, fields: dict[str, Any]) -> Any:
        """Hold an order in a status."""
        _take(fields, "status", "remains")
        remains = fields.get("remains")
        order = request.path_params["order"]
        status = fields.get("status") or self._simulator.order(order).status
        self._simulator.set_status(order, str(status), None if remains is None else int(remains))
        return asdict(self._simulator.order(order))

    def set_refill(self, request: Request, fields: dict[str, Any]) -> Any:
        """Hold a refill in a status."""
        _take(fields, "status")
        refill = request.path_params["refill"]
        self._simulator.set_refill_status(refill, str(_need(fields, "status")))
        return {"id": refill, "status": fields["status"]}

    def faults(self, _: Request, fields: dict[str, Any]) -> Any:
        """Ask for faults: the next `count`, every one (`always`) or by `probability`; or `clear` them."""
        _take(fields, "action", "fault", "count", "always", "probability", "clear")
        faults = self._simulator.faults
        if fields.get("clear"):
            faults.clear()
        if "fault" in fields:
            action, fault = str(fields.get("action", "*")), fields["fault"]
            if fields.get("always"):
                faults.always(action, fault)
            elif "probability" in fields:
                faults.chance(action, fault, float(fields["probability"]))
            else:
                faults.next(action, *[fault] * min(int(fields.get("count", 1)), _MOST_LISTED))
        return {"faults": faults.pending()}

    def balance(self, _: Request, fields: dict[str, Any]) -> Any:
        """Set an account's balance."""
        _take(fields, "amount", "label")
        label = fields.get("label")
        self._simulator.set_balance(_money(_need(fields, "amount")), label)
        return {"balance": self._simulator.balance(label)}

    def service(self, request: Request, fields: dict[str, Any]) -> Any:
        """Change a row of the catalogue, take it off with `gone`, or list a new one."""
        service = request.path_params["service"]
        if fields == {"gone": True}:
            self._simulator.remove_service(service)
            return {"service": None}
        _take(fields, *_SERVICE_FIELDS, "gone")
        values = {name: _SERVICE_FIELDS[name](value) for name, value in fields.items() if name != "gone"}
        if any(row.id == service for row in self._simulator.services()):
            return {"service": asdict(self._simulator.set_service(service, **values))}
        if "name" not in values:
            raise KeyError(f"no service {service}; to list a new one give its name")
        self._simulator.put_service(Service(service, **values))
        return {"service": asdict(Service(service, **values))}

    def advance(self, _: Request, fields: dict[str, Any]) -> Any:
        """Move the panel's time forward."""
        _take(fields, "seconds")
        self._simulator.advance(timedelta(seconds=float(_need(fields, "seconds"))))
        return {"now": self._simulator.now()}
