"""Decoded answers into typed facts. Pure, tolerant of every known drift, and loud about nothing else.

Each reader takes what `replies.judge` let through and raises only `Unreadable` (a wrong shape as a whole) or
the refusal the panel gave for the one thing asked about. An entry that can't be read is left out and named in
`unreadable`: it is not gone, it just wasn't understood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smm_rules.facts import OrderStatus, RefillStatus, order_status, refill_status
from smm_rules.panel.answers import Accepted, Balance, OrderState, RefillState, Refused, Service
from smm_rules.panel.errors import RefusalReason, Unreadable
from smm_rules.panel.refusals import refusal_reason, says_too_many_requests
from smm_rules.panel.replies import error_words, is_state, refusal_error
from smm_rules.panel.scalars import (
    LONGEST_STATUS,
    currency,
    decimal_number,
    flag,
    identifier,
    text,
    whole_number,
)
from smm_rules.panel.shapes import Entries, one_object, read_entries, rows_of

#: More services than any panel sells; a larger catalogue is no catalogue.
MOST_SERVICES = 50_000
#: A drip-feed or subscription order lists its orders; more than this are not kept.
MOST_SUBORDERS = 10_000
_ORDER_STATUSES = frozenset(status.value for status in OrderStatus)
#: What only a drip-feed or subscription order has.
_OF_A_SERIES = frozenset({"runs", "posts", "expiry", "orders"})
_REFILL_STATUSES = frozenset(status.value for status in RefillStatus)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The readable rows of a catalogue, and what was wrong with each of the others."""

    services: tuple[Service, ...]
    unreadable: tuple[str, ...]


# -- single things ----------------------------------------------------------------------------------------
def read_balance(document: object) -> Balance:
    """`{"balance": "100.84", "currency": "USD"}`."""
    members = one_object(document)
    amount = decimal_number(members.get("balance"))
    if amount is None:
        raise Unreadable("the answer holds no balance")
    return Balance(amount, currency(members.get("currency")))


def read_new_order(document: object) -> str:
    """The ID in `{"order": 23501}`."""
    if not isinstance(document, Mapping):
        raise Unreadable("the answer to a new order is not an object")
    given = [document[name] for name in ("order", "order_id") if document.get(name) is not None]
    identifiers = {identifier(value) for value in given}
    order = identifiers.pop() if len(identifiers) == 1 else None
    if order is None or not any(character.isdigit() for character in order):
        raise Unreadable("the answer to a new order holds no order ID")
    return order


def read_catalogue(document: object) -> Catalogue:
    """`[{"service": 1, "name": …}, …]`. An empty catalogue is a fault, not a mass delisting."""
    services: dict[str, Service] = {}
    unreadable: list[str] = []
    rows = rows_of(document)
    if len(rows) > MOST_SERVICES:
        raise Unreadable(f"a catalogue of {len(rows)} rows; at most {MOST_SERVICES} are read")
    for number, row in enumerate(rows, start=1):
        service = _service(row)
        if service is None:
            unreadable.append(f"row {number} has no service ID")
        elif service.id in services:
            unreadable.append(f"row {number} names service {service.id} again")
        else:
            services[service.id] = service
    if not rows:
        raise Unreadable("the catalogue is empty")
    if not services:
        raise Unreadable(f"none of the catalogue's {len(rows)} rows can be read")
    return Catalogue(tuple(services.values()), tuple(unreadable))


def _service(row: object) -> Service | None:
    if not isinstance(row, Mapping):
        return None
    service = identifier(row.get("service"))
    if service is None:
        return None
    cancel = row["cancel"] if row.get("cancel") is not None else row.get("canceling_is_available")
    return Service(
        id=service,
        name=text(row.get("name")),
        type=text(row.get("type"), LONGEST_STATUS) or "Default",
        category=text(row.get("category")),
        rate=decimal_number(row.get("rate")),
        min=whole_number(row.get("min")),
        max=whole_number(row.get("max")),
        refill=flag(row.get("refill")),
        cancel=flag(cancel),
        dripfeed=flag(row.get("dripfeed")),
    )


# -- states of orders and refills -------------------------------------------------------------------------
def read_order_states(document: object, ids: Sequence[str]) -> Entries[OrderState]:
    """`{"1": {"status": …}, "10": {"error": …}}`, or the bare state of the one order asked about."""
    return read_entries(document, ids, "order", _order_entry)


def read_refill_states(document: object, ids: Sequence[str]) -> Entries[RefillState]:
    """`[{"refill": 1, "status": …}, …]`, or `{"status": …}` of the one refill asked about."""
    return read_entries(document, ids, "refill", _refill_entry)


def _order_entry(entry: object) -> OrderState | Refused | None:
    if isinstance(entry, str):
        status = order_status(entry)
        known = status in _ORDER_STATUSES and status != OrderStatus.ERROR
        return OrderState(status, True) if known else _refused(entry)
    if not isinstance(entry, Mapping):
        return None
    written = entry.get("status")
    if isinstance(written, str) and written in _ORDER_STATUSES and is_state(entry):
        return _order_state(written, True, entry)  # as nearly every entry of a panel
    status = order_status(text(written, LONGEST_STATUS))
    known = status in _ORDER_STATUSES
    if words := error_words(entry):
        return _refused(words)
    if not status or (not known and _is_refusal(status)):
        return _refused(_error_member(written)) if written else None
    return _order_state(status, known, entry)


def _order_state(status: str, known: bool, entry: Mapping[str, object]) -> OrderState:
    remains, start_count, charge, currency_ = map(entry.get, ("remains", "start_count", "charge", "currency"))
    state = OrderState(
        status,
        known,
        whole_number(remains),
        whole_number(start_count),
        decimal_number(charge),
        currency(currency_),
    )
    if _OF_A_SERIES.isdisjoint(entry):
        return state
    return state._replace(
        runs=whole_number(entry.get("runs")),
        posts=whole_number(entry.get("posts")),
        expiry=text(entry.get("expiry"), LONGEST_STATUS) or None,
        suborders=_suborders(entry.get("orders")),
    )


def _refill_entry(entry: object) -> RefillState | Refused | None:
    if isinstance(entry, Mapping):
        if words := error_words(entry):
            return _refused(words)
        entry = entry.get("status")
    if isinstance(entry, Mapping):
        return _refused(_error_member(entry))
    written = text(entry, LONGEST_STATUS)
    status = refill_status(written)
    known = status in _REFILL_STATUSES
    if not status:
        return None
    return _refused(written) if not known and _is_refusal(status) else RefillState(status, known)


def _suborders(value: object) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list):
        return ()
    members = (row.get("order") if isinstance(row, Mapping) else row for row in value[:MOST_SUBORDERS])
    return tuple(order for order in map(identifier, members) if order is not None)


# -- acceptances of refills and cancels -------------------------------------------------------------------
def read_refills(document: object, orders: Sequence[str]) -> Entries[Accepted]:
    """`[{"order": 1, "refill": 1}, {"order": 3, "refill": {"error": …}}]`, or `{"refill": "1"}` for one."""
    return read_entries(document, orders, "order", lambda entry: _acceptance(entry, "refill"))


def read_cancels(document: object, orders: Sequence[str]) -> Entries[Accepted]:
    """`[{"order": 9, "cancel": {"error": …}}, {"order": 2, "cancel": 1}]`.

    A cancel above 1 is the ID of the panel's request.
    """
    return read_entries(document, orders, "order", lambda entry: _acceptance(entry, "cancel"))


def read_refill(document: object, order: str) -> Accepted:
    """The acceptance of one refill. Raises `Rejected` or `RateLimited` for a refusal inside the answer."""
    answer = read_refills(document, [order]).found.get(order)
    if isinstance(answer, Refused):
        raise refusal_error(answer.message)
    if answer is None:
        raise Unreadable("the answer to a refill says neither yes nor no")
    return answer


def _acceptance(entry: object, label: str) -> Accepted | Refused | None:
    if not isinstance(entry, Mapping):
        return _accepted_value(entry, label)
    value = entry.get(label)
    answer = _accepted_value(value, label)
    if words := error_words(entry):
        # An error beside a result: nobody can say which of the two holds.
        return None if isinstance(answer, Accepted) else _refused(words)
    if value is None and _says_success(entry):
        return Accepted("")
    return answer


def _accepted_value(value: object, label: str) -> Accepted | Refused | None:
    if isinstance(value, Mapping):
        return _refused(_error_member(value)) if value else None
    if value is True or (isinstance(value, str) and value.strip().casefold() in ("true", "success", "ok")):
        return Accepted("")
    given = identifier(value)
    if given is not None and any(character.isdigit() for character in given):
        return Accepted("" if label == "cancel" and given == "1" else given)
    # Text of several words is an error written without its braces; a lone word could mean anything.
    words = text(value) if isinstance(value, str) else ""
    return _refused(words) if " " in words or _is_refusal(words) else None


def _says_success(entry: Mapping[str, object]) -> bool:
    if entry.get("success") in (True, "true", "success", "1"):
        return True
    return text(entry.get("status")).casefold() in ("success", "ok")


# -- refusals of single entries ---------------------------------------------------------------------------
def _refused(words: str) -> Refused | None:
    """A refusal in these words; None for none, and for a rate limit, which says nothing about the entry."""
    shown = text(words)
    return Refused(shown) if shown and not says_too_many_requests(shown) else None


def _error_member(value: object) -> str:
    if isinstance(value, Mapping):
        return error_words(value) or error_words({"error": value}) or ""
    return text(value)


def _is_refusal(words: str) -> bool:
    return refusal_reason(words) is not RefusalReason.UNRECOGNISED or says_too_many_requests(words)
