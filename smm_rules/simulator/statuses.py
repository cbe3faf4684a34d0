"""The statuses this panel knows. A control call may set any other text, as real panels surprise too."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Statuses of orders; ACTIVE, PAUSED and EXPIRED only occur on drip-feeds and subscriptions."""

    PENDING = "Pending"
    PROCESSING = "Processing"
    IN_PROGRESS = "In progress"
    COMPLETED = "Completed"
    PARTIAL = "Partial"
    CANCELED = "Canceled"
    REFUNDED = "Refunded"
    ACTIVE = "Active"
    PAUSED = "Paused"
    EXPIRED = "Expired"
    ERROR = "Error"


class RefillStatus(StrEnum):
    """Statuses of refills."""

    PENDING = "Pending"
    IN_PROGRESS = "In progress"
    COMPLETED = "Completed"
    REJECTED = "Rejected"
    CANCELED = "Canceled"
    ERROR = "Error"


#: After these the panel does no more work on an order, so it can't be canceled any more.
ENDED: frozenset[str] = frozenset(
    {Status.COMPLETED, Status.PARTIAL, Status.CANCELED, Status.REFUNDED, Status.EXPIRED}
)
#: After these a refill is over.
REFILL_ENDED: frozenset[str] = frozenset(
    {RefillStatus.COMPLETED, RefillStatus.REJECTED, RefillStatus.CANCELED, RefillStatus.ERROR}
)
