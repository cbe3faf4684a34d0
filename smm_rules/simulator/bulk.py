"""A long run of orders that exist only as a formula until one of them is acted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smm_rules.simulator.catalogue import AfterPartial, Service
from smm_rules.simulator.course import Course, Script, draw
from smm_rules.simulator.orders import Account, Look, Order
from smm_rules.simulator.placing import price
from smm_rules.simulator.statuses import Status

QUANTITY = 1000
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class BulkOrders:
    """`count` orders of QUANTITY from number `first` on, bought before the panel started.

    With a `script` each follows its own course, placed at some moment of the day before `start`. Without one
    they hold still, In progress, but for `changing_share` of them whose remains move every panel minute.
    Their refunds show in the charge and never move the balance.
    """

    first: int
    count: int
    account: Account
    services: Sequence[Service]
    start: float
    seed: int
    script: Script | None = None
    changing_share: float = 0.0

    def __contains__(self, number: int) -> bool:
        return self.first <= number < self.first + self.count

    def service(self, number: int) -> Service:
        """The service that order `number` is of."""
        return self.services[number % len(self.services)]

    def placed_at(self, number: int) -> float:
        """When order `number` was placed."""
        if self.script is None:
            return self.start - _DAY
        return self.start - (draw(self.seed, number, 5) % int(_DAY))

    def look(self, number: int, now: float) -> Look:
        """Order `number` at `now`."""
        paid = price(self.service(number), QUANTITY)
        if self.script is None:
            bits = draw(self.seed, number)
            return Look(Status.IN_PROGRESS, self._still(bits, now), bits >> 48, paid)
        return self.order(number, now).look(now)

    def _still(self, bits: int, now: float) -> int:
        remains = bits % (QUANTITY - 1)
        if (bits >> 32 & 0xFFFF) < self.changing_share * 65536:
            remains = (remains - int((now - self.start) / 60)) % (QUANTITY - 1)
        return 1 + remains

    def order(self, number: int, now: float) -> Order:
        """Order `number` as a record of its own, so that it can be acted on."""
        service = self.service(number)
        course = self.script.course(self.seed, number) if self.script else None
        order = Order(
            number,
            self.account,
            service.id,
            {},
            f"https://example.com/{number}",
            QUANTITY,
            price(service, QUANTITY),
            self.placed_at(number),
            course or Course(0, 0, 1, None),
            AfterPartial(service.after_partial),
        )
        if course is None:
            bits = draw(self.seed, number)
            order.course = Course(0, 0, 1, None, 0.0, bits >> 48)
            order.pin(Status.IN_PROGRESS, self._still(bits, now), order.placed_at)
        # Whatever ended before somebody acted on it was refunded outside of this panel's books.
        order.refunded = order.refund_due(now)
        return order
