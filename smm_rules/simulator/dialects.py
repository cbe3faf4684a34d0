"""How the panel words its answers. Two dialects that between them show every drift real panels have."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol

from smm_rules.simulator.catalogue import Service
from smm_rules.simulator.orders import Account, Look, SeriesLook
from smm_rules.simulator.refusal import Reason, Refusal
from smm_rules.simulator.settings import DialectName
from smm_rules.simulator.statuses import Status

#: An answer about one ID: what was asked for, or why not.
OrderAnswers = Sequence[tuple[str, Look | SeriesLook | Refusal]]
RefillAnswers = Sequence[tuple[str, int | Refusal]]
StatusAnswers = Sequence[tuple[str, str | Refusal]]


class Dialect(Protocol):
    """Turns what the panel did into the JSON value it answers."""

    #: Whether errors come with their HTTP status, or all with 200.
    http_codes: bool

    def error(self, refusal: Refusal) -> Any: ...
    def services(self, services: Sequence[Service]) -> Any: ...
    def balance(self, account: Account) -> Any: ...
    def placed(self, order: int) -> Any: ...
    def order(self, look: Look | SeriesLook, currency: str) -> Any: ...
    def orders(self, answers: OrderAnswers, currency: str) -> Any: ...
    def refill(self, refill: int) -> Any: ...
    def refills(self, answers: RefillAnswers) -> Any: ...
    def refill_status(self, status: str) -> Any: ...
    def refill_statuses(self, answers: StatusAnswers) -> Any: ...
    def cancels(self, answers: RefillAnswers) -> Any: ...


_CLASSIC_WORDS = {
    Reason.MISSING_KEY: "Invalid API key",
    Reason.INVALID_KEY: "Invalid API key",
    Reason.INVALID_REQUEST: "Incorrect request",
    Reason.METHOD_NOT_ALLOWED: "Incorrect request",
    Reason.TOO_LARGE: "Request is too large",
    Reason.RATE_LIMITED: "Rate limit exceeded",
    Reason.SERVER_ERROR: "Something went wrong",
    Reason.INCORRECT_SERVICE: "Incorrect service ID",
    Reason.INCORRECT_LINK: "Incorrect link",
    Reason.INCORRECT_QUANTITY: "Incorrect quantity",
    Reason.QUANTITY_TOO_SMALL: "Quantity less than minimal {}",
    Reason.QUANTITY_TOO_LARGE: "Quantity more than maximum {}",
    Reason.INCORRECT_PARAMETER: "Incorrect {}",
    Reason.NO_DRIPFEED: "Drip-feed is not available for this service",
    Reason.DUPLICATE_ORDER: (
        "You have active order with this link. Please wait until order being completed."
    ),
    Reason.NOT_ENOUGH_FUNDS: "Not enough funds on balance",
    Reason.INCORRECT_ORDER: "Incorrect order ID",
    Reason.REFILL_UNAVAILABLE: "Order not eligible for refill.",
    Reason.REFILL_UNDER_WAY: "Refill already requested",
    Reason.REFILL_TOO_EARLY: "Refill will be available in {} hours",
    Reason.INCORRECT_REFILL: "Refill not found",
    Reason.CANCEL_UNAVAILABLE: "Cancel is not available for this order",
    Reason.CANCEL_UNDER_WAY: "Cancel already requested",
}

_MODERN_WORDS = _CLASSIC_WORDS | {
    Reason.MISSING_KEY: "The key field is required.",
    Reason.INVALID_KEY: "The API key is not valid.",
    Reason.INVALID_REQUEST: "Unknown action.",
    Reason.METHOD_NOT_ALLOWED: "Method not allowed.",
    Reason.RATE_LIMITED: "Too many requests.",
    Reason.SERVER_ERROR: "Internal server error.",
    Reason.INCORRECT_SERVICE: "Service not found.",
    Reason.INCORRECT_LINK: "The link is not valid.",
    Reason.QUANTITY_TOO_SMALL: "The quantity must be at least {}.",
    Reason.QUANTITY_TOO_LARGE: "The quantity must not be greater than {}.",
    Reason.INCORRECT_PARAMETER: "The {} field is not valid.",
    Reason.NOT_ENOUGH_FUNDS: "Not enough funds",
    Reason.INCORRECT_ORDER: "Order not found",
    Reason.REFILL_UNAVAILABLE: "Refill is not available for this order",
    Reason.REFILL_TOO_EARLY: "The last refill is too recent, try again in {} hours",
    Reason.INCORRECT_REFILL: "Refill not found.",
    Reason.CANCEL_UNAVAILABLE: "This order can not be canceled",
}

_HTTP_CODES = {
    Reason.MISSING_KEY: 401,
    Reason.INVALID_KEY: 401,
    Reason.METHOD_NOT_ALLOWED: 405,
    Reason.TOO_LARGE: 413,
    Reason.RATE_LIMITED: 429,
    Reason.SERVER_ERROR: 500,
}


def http_code(reason: Reason) -> int:
    """The HTTP status that says `reason`."""
    return _HTTP_CODES.get(reason, 400)


class Classic:
    """The oldest and commonest form: numbers as strings, HTTP 200 for errors too, `Cancelled`."""

    http_codes = False

    def words(self, refusal: Refusal) -> str:
        return _CLASSIC_WORDS[refusal.reason].format(refusal.detail)

    def error(self, refusal: Refusal) -> Any:
        return {"error": self.words(refusal)}

    def services(self, services: Sequence[Service]) -> Any:
        return [
            {
                "service": service.id,
                "name": service.name,
                "type": service.type,
                "category": service.category,
                "rate": str(service.rate),
                "min": str(service.min),
                "max": str(service.max),
                "dripfeed": service.dripfeed,
                "refill": service.refill,
                "cancel": service.cancel,
            }
            for service in services
        ]

    def balance(self, account: Account) -> Any:
        return {"balance": _money(account.balance), "currency": account.currency}

    def placed(self, order: int) -> Any:
        return {"order": order}

    def order(self, look: Look | SeriesLook, currency: str) -> Any:
        if isinstance(look, SeriesLook):
            return _series(look, str)
        return {
            "charge": _money(look.charge),
            "start_count": str(look.start_count or 0),
            "status": "Cancelled" if look.status == Status.CANCELED else look.status,
            "remains": str(look.remains),
            "currency": currency,
        }

    def orders(self, answers: OrderAnswers, currency: str) -> Any:
        return {
            order: self.error(answer) if isinstance(answer, Refusal) else self.order(answer, currency)
            for order, answer in answers
        }

    def refill(self, refill: int) -> Any:
        return {"refill": str(refill)}

    def refills(self, answers: RefillAnswers) -> Any:
        return [self._one("order", order, "refill", answer) for order, answer in answers]

    def refill_status(self, status: str) -> Any:
        return {"status": status}

    def refill_statuses(self, answers: StatusAnswers) -> Any:
        return [self._one("refill", refill, "status", answer) for refill, answer in answers]

    def cancels(self, answers: RefillAnswers) -> Any:
        return [
            self._one("order", order, "cancel", answer if isinstance(answer, Refusal) else 1)
            for order, answer in answers
        ]

    def _one(self, what: str, number: str, field: str, answer: int | str | Refusal) -> dict[str, Any]:
        value = self.error(answer) if isinstance(answer, Refusal) else answer
        return {what: _id(number), field: value}


class Modern:
    """Numbers as numbers, HTTP codes with `code` and a numeric `status`, and the rarer drifts.

    Flags as 0, 1 and "1"; `canceling_is_available`; `[]` for an empty object; per-ID errors as bare strings
    or beside the ID; the request's number as `cancel`; a null `start_count`; `status: success` beside IDs.
    """

    http_codes = True

    def words(self, refusal: Refusal) -> str:
        return _MODERN_WORDS[refusal.reason].format(refusal.detail)

    def error(self, refusal: Refusal) -> Any:
        return {
            "error": self.words(refusal),
            "code": str(refusal.reason),
            "status": http_code(refusal.reason),
        }

    def services(self, services: Sequence[Service]) -> Any:
        return [
            {
                "service": str(service.id),
                "name": service.name,
                "type": service.type,
                "category": service.category,
                "rate": float(service.rate),
                "min": service.min,
                "max": service.max,
                "dripfeed": int(service.dripfeed),
                "refill": "1" if service.refill else 0,
                "canceling_is_available": int(service.cancel),
            }
            for service in services
        ]

    def balance(self, account: Account) -> Any:
        return {"status": "success", "balance": _number(account.balance), "currency": account.currency}

    def placed(self, order: int) -> Any:
        return {"status": "success", "order": order}

    def order(self, look: Look | SeriesLook, currency: str) -> Any:
        if isinstance(look, SeriesLook):
            return _series(look, int)
        return {
            "charge": _number(look.charge),
            "start_count": look.start_count,
            "status": look.status,
            "remains": look.remains,
            "currency": currency,
        }

    def orders(self, answers: OrderAnswers, currency: str) -> Any:
        entries = {
            order: self.words(answer) if isinstance(answer, Refusal) else self.order(answer, currency)
            for order, answer in answers
        }
        return entries or []

    def refill(self, refill: int) -> Any:
        return {"status": "success", "refill": refill}

    def refills(self, answers: RefillAnswers) -> Any:
        return [
            {"order": _id(order), "refill": self.words(answer) if isinstance(answer, Refusal) else answer}
            for order, answer in answers
        ]

    def refill_status(self, status: str) -> Any:
        return {"status": status}

    def refill_statuses(self, answers: StatusAnswers) -> Any:
        return [self._beside("refill", refill, "status", answer) for refill, answer in answers]

    def cancels(self, answers: RefillAnswers) -> Any:
        return [self._beside("order", order, "cancel", answer) for order, answer in answers]

    def _beside(self, what: str, number: str, field: str, answer: int | str | Refusal) -> dict[str, Any]:
        if isinstance(answer, Refusal):
            return {what: _id(number), "error": self.words(answer)}
        return {what: _id(number), field: answer}


def _series(look: SeriesLook, of: type[int] | type[str]) -> dict[str, Any]:
    """A drip-feed or subscription has neither charge nor remains, whichever the dialect."""
    orders = [of(order) for order in look.orders]
    if look.runs is not None:
        return {"status": look.status, "runs": of(look.runs), "orders": orders}
    return {"status": look.status, "expiry": look.expiry, "posts": of(look.posts or 0), "orders": orders}


def _money(amount: Decimal) -> str:
    return f"{amount:.5f}"


def _number(amount: Decimal) -> float:
    # Five places of at most ten digits: the nearest float prints as the same digits.
    return float(round(amount, 5))


def _id(text: str) -> int | str:
    """An ID is a number, but one that was asked for wrongly is given back as it came."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text


def dialect(name: DialectName) -> Dialect:
    """The dialect called `name`."""
    return Classic() if name is DialectName.CLASSIC else Modern()


def encode(value: Any) -> bytes:
    """`value` as the JSON a panel sends."""
    return json.dumps(value, separators=(",", ":")).encode()
