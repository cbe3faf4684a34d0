"""How a call to a panel can fail, told apart by what is known of the outcome."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class RefusalReason(StrEnum):
    """Why a panel refused, as far as its words say. UNRECOGNISED keeps the words in the message."""

    NOT_ENOUGH_FUNDS = "not_enough_funds"
    INCORRECT_ORDER = "incorrect_order"
    INCORRECT_REFILL = "incorrect_refill"
    INCORRECT_SERVICE = "incorrect_service"
    INCORRECT_LINK = "incorrect_link"
    INCORRECT_QUANTITY = "incorrect_quantity"
    INVALID_KEY = "invalid_key"
    INVALID_REQUEST = "invalid_request"
    REFILL_UNAVAILABLE = "refill_unavailable"
    REFILL_TOO_EARLY = "refill_too_early"
    CANCEL_UNAVAILABLE = "cancel_unavailable"
    DUPLICATE_ORDER = "duplicate_order"
    UNRECOGNISED = "unrecognised"


class PanelError(Exception):
    """Base of every failure of a call to a panel. The message never holds the key."""


class NotSent(PanelError):
    """The request was not written: DNS, connect or TLS failed. The panel can't have acted."""


class Rejected(PanelError):
    """The panel answered with a documented error. It did not act, and says why."""

    def __init__(self, message: str, reason: RefusalReason = RefusalReason.UNRECOGNISED) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason


class RateLimited(PanelError):
    """The panel refused for too many requests. It did not act. `retry_after` is its own word, if given."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Ambiguous(PanelError):
    """The request went out and no usable answer came back: time-out, reset, 5xx. The panel may have acted."""


class Unreadable(PanelError):
    """An answer came and makes no sense: HTML, broken JSON, a wrong shape. The panel may have acted."""
