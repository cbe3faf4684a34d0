"""API v2: from the parameters of a request to the bytes of its answer, with no socket in sight."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from smm_rules.simulator import aftercare, sales
from smm_rules.simulator.book import Book
from smm_rules.simulator.clock import PanelClock
from smm_rules.simulator.course import draw
from smm_rules.simulator.dialects import Dialect, encode, http_code
from smm_rules.simulator.faults import BEFORE_EFFECT, Fault, Faults
from smm_rules.simulator.orders import Account, Look, SeriesLook
from smm_rules.simulator.refusal import Reason, Refusal

#: IDs beyond this many are silently dropped, as some panels do.
MOST_IDS = 100
#: How old the statuses of a stale answer are, in seconds.
STALE_BY = 600.0
JSON_TYPE = "application/json"
HTML_TYPE = "text/html; charset=UTF-8"

Answer = TypeVar("Answer")

_PROXY_PAGE = (
    b"<html>\r\n<head><title>%(code)d %(words)s</title></head>\r\n<body>\r\n"
    b"<center><h1>%(code)d %(words)s</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer ready to leave, and the `fault` that may yet befall it on the wire."""

    body: bytes
    code: int = 200
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request being answered. `number` is its number in the journal."""

    account: Account
    parameters: Mapping[str, str]
    now: float
    number: int
    fault: Fault | None


class ApiV2:
    """Answers one request after the other. The caller holds the panel's lock."""

    def __init__(self, book: Book, clock: PanelClock, dialect: Dialect, faults: Faults) -> None:
        self._book = book
        self._clock = clock
        self._dialect = dialect
        self._faults = faults
        self._actions: dict[str, Callable[[_Asked], Any]] = {
            "services": self._services,
            "balance": self._balance,
            "add": self._add,
            "status": self._status,
            "refill": self._refill,
            "refill_status": self._refill_status,
            "cancel": self._cancel,
        }

    def answer(self, form: Mapping[str, str]) -> Reply:
        """Note the request, do what it asks and word the answer."""
        book = self._book
        now = self._clock.seconds()
        book.timeline.run(now)
        parameters = {name: text for name, text in form.items() if name not in ("key", "action")}
        action = form.get("action", "")
        account = book.accounts.get(form.get("key", ""))
        fault = self._faults.take(action)
        label = account.label if account else ""
        request = book.journal.request(now, action, label, parameters, fault or "")
        if fault in BEFORE_EFFECT:
            return self._untouched(fault)
        if account is None:
            return self.refuse(Refusal(Reason.INVALID_KEY if form.get("key") else Reason.MISSING_KEY))
        headers = self._count(account, now)
        if headers is None:
            return self._too_many(now)
        reply = self._do(action, _Asked(account, parameters, now, request, fault))
        return replace(_spoil(reply, fault), headers=headers, fault=fault)

    def refuse(self, refusal: Refusal) -> Reply:
        """The answer that says why not."""
        code = http_code(refusal.reason) if self._dialect.http_codes else 200
        return Reply(encode(self._dialect.error(refusal)), code)

    def refuse_plainly(self, reason: Reason) -> Reply:
        """The answer to a request no action was read from; both dialects give it its HTTP code."""
        return replace(self.refuse(Refusal(reason)), code=http_code(reason))

    def _do(self, action: str, asked: _Asked) -> Reply:
        perform = self._actions.get(action)
        try:
            if perform is None:
                raise Refusal(Reason.INVALID_REQUEST)
            return Reply(encode(perform(asked)))
        except Refusal as refusal:
            return self.refuse(refusal)

    def _count(self, account: Account, now: float) -> tuple[tuple[str, str], ...] | None:
        """Count the request; the headers that tell what is left, or None when nothing is."""
        limit = self._book.settings.requests_per_minute
        if limit is None:
            return ()
        window = now // 60
        if window != account.window:
            account.window, account.used = window, 0
        if account.used >= limit:
            return None
        account.used += 1
        return self._limit_headers(limit, limit - account.used, now)

    def _limit_headers(self, limit: int, left: int, now: float) -> tuple[tuple[str, str], ...]:
        if not self._dialect.http_codes:
            return ()
        return (
            ("RateLimit-Limit", str(limit)),
            ("RateLimit-Remaining", str(left)),
            ("RateLimit-Reset", str(self._wait(now))),
        )

    def _wait(self, now: float) -> int:
        """Seconds of the asker's time until the panel's next minute begins."""
        return max(1, math.ceil((60 - now % 60) / (self._clock.speed or 1)))

    def _too_many(self, now: float) -> Reply:
        reply = self.refuse(Refusal(Reason.RATE_LIMITED))
        if not self._dialect.http_codes:
            return reply
        limit = self._book.settings.requests_per_minute or 60
        headers = (*self._limit_headers(limit, 0, now), ("Retry-After", str(self._wait(now))))
        return replace(reply, headers=headers)

    def _untouched(self, fault: Fault | None) -> Reply:
        """What a request meets that never got to the panel's books."""
        if fault is Fault.RATE_LIMITED:
            return self._too_many(self._clock.seconds())
        if fault is Fault.ERROR_BEFORE_EFFECT:
            return self._broken()
        if fault is Fault.HTML_BEFORE_EFFECT:
            return _proxy_page(503, b"Service Temporarily Unavailable")
        return Reply(b"", fault=fault)

    def _broken(self) -> Reply:
        return replace(self.refuse(Refusal(Reason.SERVER_ERROR)), code=500)

    def _services(self, asked: _Asked) -> Any:
        empty = asked.fault is Fault.EMPTY_CATALOGUE
        return self._dialect.services(() if empty else tuple(self._book.catalogue))

    def _balance(self, asked: _Asked) -> Any:
        return self._dialect.balance(asked.account)

    def _add(self, asked: _Asked) -> Any:
        order = sales.sell(self._book, asked.account, asked.parameters, asked.now, asked.number)
        return self._dialect.placed(order)

    def _status(self, asked: _Asked) -> Any:
        at = asked.now - STALE_BY if asked.fault is Fault.STALE_STATUS else asked.now
        currency = asked.account.currency
        if "orders" in asked.parameters:
            looks = [(text, self._look(asked.account, text, at)) for text in self._ids(asked, "orders")]
            return self._dialect.orders(looks, currency)
        order = asked.parameters.get("order", "").strip()
        return self._dialect.order(self._book.look(asked.account, order, at), currency)

    def _look(self, account: Account, text: str, at: float) -> Look | SeriesLook | Refusal:
        try:
            return self._book.look(account, text, at)
        except Refusal as refusal:
            return refusal

    def _refill(self, asked: _Asked) -> Any:
        def ask(order: str) -> int:
            return aftercare.ask_refill(self._book, asked.account, order, asked.now, asked.number).number

        if "orders" in asked.parameters:
            return self._dialect.refills(
                [(text, _or_refusal(ask, text)) for text in self._ids(asked, "orders")]
            )
        return self._dialect.refill(ask(asked.parameters.get("order", "").strip()))

    def _refill_status(self, asked: _Asked) -> Any:
        def ask(refill: str) -> str:
            return aftercare.refill_status(self._book, asked.account, refill, asked.now)

        if "refills" in asked.parameters:
            ids = self._ids(asked, "refills")
            return self._dialect.refill_statuses([(text, _or_refusal(ask, text)) for text in ids])
        return self._dialect.refill_status(ask(asked.parameters.get("refill", "").strip()))

    def _cancel(self, asked: _Asked) -> Any:
        def ask(order: str) -> int:
            aftercare.ask_cancel(self._book, asked.account, order, asked.now, asked.number)
            return asked.number

        if "orders" not in asked.parameters:
            raise Refusal(Reason.INVALID_REQUEST)
        return self._dialect.cancels([(text, _or_refusal(ask, text)) for text in self._ids(asked, "orders")])

    def _ids(self, asked: _Asked, name: str) -> list[str]:
        """The IDs asked for, each once; only the first hundred, and fewer when some are to go missing."""
        texts = (text.strip() for text in asked.parameters[name].split(","))
        ids = list(dict.fromkeys(text for text in texts if text))[:MOST_IDS]
        if asked.fault is Fault.MISSING_IDS:
            seed = self._book.settings.seed
            kept = [text for place, text in enumerate(ids) if draw(seed, asked.number, place) & 1]
            ids = kept if len(kept) < len(ids) else kept[1:]
        return ids


def _or_refusal(ask: Callable[[str], Answer], text: str) -> Answer | Refusal:
    try:
        return ask(text)
    except Refusal as refusal:
        return refusal


def _proxy_page(code: int, words: bytes) -> Reply:
    return Reply(_PROXY_PAGE % {b"code": code, b"words": words}, code, HTML_TYPE)


def _spoil(reply: Reply, fault: Fault | None) -> Reply:
    """The reply after the panel acted, as a fault lets it leave."""
    if fault is Fault.ERROR_AFTER_EFFECT:
        return Reply(b'{"error":"Internal server error"}', 500)
    if fault is Fault.HTML_AFTER_EFFECT:
        return _proxy_page(502, b"Bad Gateway")
    if fault is Fault.TRUNCATED_JSON:
        return replace(reply, body=reply.body[: len(reply.body) // 2])
    return reply
