"""Orders and refills as the panel keeps them, and how they look at a given moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from smm_rules.simulator.catalogue import AfterPartial
from smm_rules.simulator.course import Course, RefillCourse
from smm_rules.simulator.placing import CENT, DripFeed, Subscription
from smm_rules.simulator.statuses import REFILL_ENDED, Status


@dataclass(slots=True)
class Account:
    """One customer. `window` and `used` count requests in the present minute of the panel."""

    label: str
    balance: Decimal
    currency: str
    window: float = 0.0
    used: int = 0


class Look(NamedTuple):
    """An order at one moment. `charge` is what it costs after refunds."""

    status: str
    remains: int
    start_count: int | None
    charge: Decimal


class SeriesLook(NamedTuple):
    """A drip-feed or subscription at one moment. Exactly one of `runs` and `posts` is set."""

    status: str
    runs: int | None
    posts: int | None
    expiry: str | None
    orders: tuple[int, ...]


@dataclass(slots=True)
class Pinned:
    """A state that holds from `since` on, whatever the course says."""

    status: str
    remains: int
    since: float


@dataclass(slots=True)
class Refill:
    """One refill. `pinned` is a status set by hand."""

    number: int
    order: int
    account: Account
    made_at: float
    course: RefillCourse
    pinned: str | None = None

    def status(self, now: float) -> str:
        """The refill's status at `now`."""
        return self.pinned or self.course.look(now - self.made_at)


@dataclass(slots=True)
class Order:
    """One order. Times are seconds since 1970 on the panel's clock.

    `paid` is what was taken for it and can be given back; `prior` the state before the last pin, for stale
    answers.
    """

    number: int
    account: Account
    service: int
    parameters: Mapping[str, str]
    link: str
    quantity: int
    paid: Decimal
    placed_at: float
    course: Course
    after_partial: AfterPartial
    parent: int | None = None
    pinned: Pinned | None = None
    refunded: Decimal = Decimal(0)
    cancel_due: float | None = None
    refills: list[Refill] = field(default_factory=list)

    def state(self, now: float) -> tuple[str, int]:
        """Status and remains at `now`."""
        if self.pinned is not None and now >= self.pinned.since:
            return self.pinned.status, self.pinned.remains
        return self.course.look(now - self.placed_at, self.quantity)

    def look(self, now: float) -> Look:
        """The order as a status answer tells it."""
        status, remains = self.state(now)
        start = None if status in (Status.PENDING, Status.PROCESSING) else self.course.start_count
        return Look(status, remains, start, self.paid - self.refunded)

    def pin(self, status: str, remains: int, now: float) -> None:
        """Let the order be `status` with `remains` from `now` on."""
        self.pinned = Pinned(status, remains, now)

    def refund_due(self, now: float) -> Decimal:
        """The money to give back at `now` for what was not delivered and never will be."""
        status, remains = self.state(now)
        if status == Status.REFUNDED:
            owed = self.paid
        elif status == Status.CANCELED or (
            status == Status.PARTIAL and self.after_partial is AfterPartial.REFUND
        ):
            missing = min(max(remains, 0), self.quantity)
            owed = (self.paid * missing / self.quantity).quantize(CENT, ROUND_HALF_UP)
        else:
            return Decimal(0)
        return max(owed - self.refunded, Decimal(0))

    def refill_under_way(self, now: float) -> bool:
        """Whether a refill of this order isn't over yet."""
        return any(refill.status(now) not in REFILL_ENDED for refill in self.refills)


@dataclass(slots=True)
class Series:
    """An order that makes orders: a drip-feed or a subscription."""

    number: int
    account: Account
    service: int
    parameters: Mapping[str, str]
    link: str
    quantity: int
    paid: Decimal
    placed_at: float
    plan: DripFeed | Subscription
    status: str = Status.ACTIVE
    orders: list[int] = field(default_factory=list)
    refunded: Decimal = Decimal(0)
    cancel_due: float | None = None
    parent: int | None = None

    def look(self, now: float) -> SeriesLook:
        """The series as a status answer tells it; its state doesn't depend on `now`, events change it."""
        del now
        made = tuple(self.orders)
        if isinstance(self.plan, DripFeed):
            return SeriesLook(self.status, len(made), None, None, made)
        return SeriesLook(self.status, None, len(made), self.plan.expiry, made)
