"""The statuses panels answer with, in one spelling each. A status nobody knows stays as it was written."""

from __future__ import annotations

from enum import StrEnum


class OrderStatus(StrEnum):
    PENDING = "Pending"
    PROCESSING = "Processing"
    IN_PROGRESS = "In progress"
    COMPLETED = "Completed"
    PARTIAL = "Partial"
    CANCELED = "Canceled"
    REFUNDED = "Refunded"
    ACTIVE = "Active"
    ERROR = "Error"


class RefillStatus(StrEnum):
    PENDING = "Pending"
    IN_PROGRESS = "In progress"
    COMPLETED = "Completed"
    REJECTED = "Rejected"
    CANCELED = "Canceled"
    ERROR = "Error"


#: A status after which a panel does no more work on the thing. `Partial` and `Error` count as ends of
#: the panel's own work; an unknown status never does.
TERMINAL_ORDER_STATUSES = frozenset(
    {OrderStatus.COMPLETED, OrderStatus.PARTIAL, OrderStatus.CANCELED, OrderStatus.REFUNDED}
)
TERMINAL_REFILL_STATUSES = frozenset(
    {RefillStatus.COMPLETED, RefillStatus.REJECTED, RefillStatus.CANCELED, RefillStatus.ERROR}
)


def _squeeze(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _spellings(statuses: type[OrderStatus] | type[RefillStatus]) -> dict[str, str]:
    known = {_squeeze(status): status.value for status in statuses}
    return known | {"cancelled": "Canceled", "complete": "Completed", "inprogres": "In progress"}


_ORDER_SPELLINGS = _spellings(OrderStatus)
_REFILL_SPELLINGS = _spellings(RefillStatus)
#: As most panels write them: found at once.
_ORDER_AS_WRITTEN = {status.value: status.value for status in OrderStatus}


def order_status(text: str) -> str:
    """The canonical spelling of an order status, or the trimmed text itself when nobody knows it."""
    return _ORDER_AS_WRITTEN.get(text) or _ORDER_SPELLINGS.get(_squeeze(text), text.strip())


def refill_status(text: str) -> str:
    """The canonical spelling of a refill status, or the trimmed text itself when nobody knows it."""
    return _REFILL_SPELLINGS.get(_squeeze(text), text.strip())
