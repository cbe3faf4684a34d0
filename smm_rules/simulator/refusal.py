"""Why the panel refuses. The words are the dialect's."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """A reason to refuse; its value is the `code` of the modern dialect."""

    MISSING_KEY = "missing_key"
    INVALID_KEY = "invalid_key"
    INVALID_REQUEST = "invalid_request"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "request_too_large"
    RATE_LIMITED = "rate_limit_exceeded"
    SERVER_ERROR = "internal_error"
    INCORRECT_SERVICE = "incorrect_service"
    INCORRECT_LINK = "incorrect_link"
    INCORRECT_QUANTITY = "incorrect_quantity"
    QUANTITY_TOO_SMALL = "quantity_too_small"
    QUANTITY_TOO_LARGE = "quantity_too_large"
    INCORRECT_PARAMETER = "incorrect_parameter"
    NO_DRIPFEED = "dripfeed_unavailable"
    DUPLICATE_ORDER = "duplicate_order"
    NOT_ENOUGH_FUNDS = "not_enough_funds"
    INCORRECT_ORDER = "incorrect_order"
    REFILL_UNAVAILABLE = "refill_unavailable"
    REFILL_UNDER_WAY = "refill_under_way"
    REFILL_TOO_EARLY = "refill_too_early"
    INCORRECT_REFILL = "incorrect_refill"
    CANCEL_UNAVAILABLE = "cancel_unavailable"
    CANCEL_UNDER_WAY = "cancel_under_way"


class Refusal(Exception):
    """The panel does nothing and says why. `detail` fills the gap in the words: a name or a number."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
