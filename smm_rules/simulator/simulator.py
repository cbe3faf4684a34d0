"""The panel put together, with the handles by which its operator, or a test, moves it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from smm_rules.simulator import aftercare
from smm_rules.simulator.api import ApiV2
from smm_rules.simulator.book import Book
from smm_rules.simulator.catalogue import Service
from smm_rules.simulator.clock import PanelClock, SimulatorClock, instant
from smm_rules.simulator.course import Course
from smm_rules.simulator.dialects import dialect
from smm_rules.simulator.faults import Faults
from smm_rules.simulator.journal import Journal, JournalWriter, Kind
from smm_rules.simulator.orders import Account, Look, Order, Refill, Series
from smm_rules.simulator.placing import number, price
from smm_rules.simulator.scenarios import adapted, prepare
from smm_rules.simulator.settings import SimulatorSettings
from smm_rules.simulator.statuses import REFILL_ENDED, Status


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """One order as the panel's operator sees it.

    `remains` is None for drip-feeds and subscriptions; `suborders` are theirs. `paid` is what was taken for
    the order, `charge` what is left of it after refunds.
    """

    id: str
    account: str
    service: str
    link: str
    quantity: int
    status: str
    remains: int | None
    paid: Decimal
    charge: Decimal
    placed_at: datetime
    parent: str | None = None
    suborders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedRefill:
    """One refill as the panel's operator sees it."""

    id: str
    order: str
    status: str
    made_at: datetime


class Orders(Mapping[str, PlacedOrder]):
    """Every order by ID, as it stands when it is looked at."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def __getitem__(self, order: str) -> PlacedOrder:
        return self._simulator.order(order)

    def __iter__(self) -> Iterator[str]:
        with self._simulator.lock:
            numbers = [str(number) for number in self._simulator.book.numbers()]
        return iter(numbers)

    def __len__(self) -> int:
        with self._simulator.lock:
            return self._simulator.book.count()


class Simulator:
    """A panel without a socket. Every method may be called from any thread."""

    def __init__(self, settings: SimulatorSettings | None = None, clock: PanelClock | None = None) -> None:
        self.settings = adapted(settings or SimulatorSettings())
        self.clock: PanelClock = clock or SimulatorClock(self.settings.speed, self.settings.start)
        self.lock = threading.RLock()
        self._closed = False
        self.faults = Faults(self.settings.seed, self.settings.faults)
        self._writer = JournalWriter(self.settings.journal)
        self.book = Book(self.settings, self._writer, self.clock.seconds())
        self.api = ApiV2(self.book, self.clock, dialect(self.settings.dialect), self.faults)
        self.orders = Orders(self)
        note = f"{self.settings.scenario} seed {self.settings.seed} {self.settings.dialect}"
        self._writer.effect(Kind.STARTED, self.book.start, note=note)
        prepare(self)

    @property
    def key(self) -> str:
        """The first account's key."""
        return self.settings.accounts[0].key

    @property
    def journal(self) -> Journal:
        """Everything asked and done so far. Once closed, the panel's time goes on without it."""
        with self.lock:
            if not self._closed:
                self._now()
            return Journal(self._writer.entries())

    def now(self) -> datetime:
        """The panel's time."""
        return instant(self.clock.seconds())

    def advance(self, duration: timedelta | float) -> None:
        """Move the panel's time forward by `duration`, a timedelta or seconds, and let what is due happen."""
        with self.lock:
            self.clock.advance(duration if isinstance(duration, timedelta) else timedelta(seconds=duration))
            self._now()

    def order(self, order: str) -> PlacedOrder:
        """One order; `KeyError` when there is none with this ID."""
        with self.lock:
            now = self._now()
            wanted, bulk = number(order), self.book.bulk
            if wanted is not None and wanted not in self.book.orders and bulk is not None and wanted in bulk:
                return _placed(bulk.order(wanted, now), now)  # looked at only, so it needn't be kept
            return _placed(self.book.find_any(order, now), now)

    def refills(self) -> tuple[PlacedRefill, ...]:
        """Every refill, oldest first."""
        with self.lock:
            now = self._now()
            return tuple(
                PlacedRefill(
                    str(refill.number), str(refill.order), refill.status(now), instant(refill.made_at)
                )
                for refill in self.book.refills.values()
            )

    def balance(self, label: str | None = None) -> Decimal:
        """The balance of the account labelled `label`, of the first one by default."""
        with self.lock:
            self._now()
            return self._account(label).balance

    def add_order(
        self,
        service: int = 1,
        quantity: int = 1000,
        link: str = "https://example.com/post",
        *,
        status: str | None = None,
        remains: int | None = None,
        course: Course | None = None,
        label: str | None = None,
    ) -> str:
        """An order as if bought on the panel's own site earlier, already paid; its ID.

        With `status` it is held in that state, with `remains` left (all of it by default, nothing when
        Completed). Otherwise it follows `course`, or one drawn from the seed.
        """
        with self.lock:
            now = self._now()
            row = self._service(service)
            account = self._account(label)
            order = self.book.new_order(
                account,
                row,
                {},
                link=link,
                quantity=quantity,
                paid=price(row, quantity),
                now=now,
                course=course,
            )
            self._control(f"order {order.number} added", now)
            if status is not None:
                self.set_status(str(order.number), status, remains)
            return str(order.number)

    def set_status(self, order: str, status: str, remains: int | None = None) -> None:
        """Hold an order in `status`, any text, with `remains` left; refunds that follow from it are made.

        `remains` stays as it is by default, and becomes 0 for Completed. `KeyError` when there is no order.
        """
        with self.lock:
            now = self._now()
            found = self.book.find_any(order, now)
            self._control(f"order {found.number} set to {status}", now)
            if isinstance(found, Series):
                found.status = status
                return
            if remains is None:
                remains = 0 if status == Status.COMPLETED else found.state(now)[1]
            found.pin(status, remains, now)
            self.book.settle(found, now)

    def set_refill_status(self, refill: str, status: str) -> None:
        """Hold a refill in `status`, any text; Completed makes its order whole. `KeyError` for none."""
        with self.lock:
            now = self._now()
            found = self._refill(refill)
            found.pinned = status
            self._control(f"refill {found.number} set to {status}", now)
            if status in REFILL_ENDED:
                order = self.book.find_any(str(found.order), now)
                assert isinstance(order, Order)
                aftercare.end_refill(self.book, order, found, now)

    def set_balance(self, amount: Decimal, label: str | None = None) -> None:
        """Let the balance be `amount`, as if money was paid in or spent on the panel's own site."""
        with self.lock:
            now = self._now()
            self.change_balance(self._account(label), amount - self._account(label).balance, now)

    def change_balance(self, account: Account, change: Decimal, now: float) -> None:
        """Add `change`, which may be negative, to a balance and note it."""
        account.balance += change
        self._writer.effect(Kind.BALANCE_CHANGED, now, key=account.label, amount=change)

    def set_service(self, service: int, **fields: object) -> Service:
        """Change fields of a catalogue row, such as `rate` or `refill`; `KeyError`, `TypeError` as named."""
        with self.lock:
            self._service(service)
            changed = self.book.catalogue.change(service, **fields)
            self._control(f"service {service} changed: {', '.join(sorted(fields))}", self._now())
            return changed

    def put_service(self, service: Service) -> None:
        """Sell a new service, or an old one again."""
        with self.lock:
            self.book.catalogue.put(service)
            self._control(f"service {service.id} listed", self._now())

    def remove_service(self, service: int) -> None:
        """Take a service off the catalogue; `KeyError` when it isn't on it."""
        with self.lock:
            self._service(service)
            self.book.catalogue.remove(service)
            self._control(f"service {service} removed", self._now())

    def services(self) -> tuple[Service, ...]:
        """The catalogue as it stands."""
        with self.lock:
            return tuple(self.book.catalogue)

    def close(self) -> None:
        """Let go of the journal's file."""
        with self.lock:
            self._closed = True
            self._writer.close()

    def _now(self) -> float:
        """The panel's time, with everything due by then done."""
        now = self.clock.seconds()
        self.book.timeline.run(now)
        return now

    def _control(self, note: str, now: float) -> None:
        self._writer.effect(Kind.CONTROL, now, note=note)

    def _account(self, label: str | None) -> Account:
        return self.book.account(label or self.settings.accounts[0].label)

    def _service(self, service: int) -> Service:
        row = self.book.catalogue.get(service)
        if row is None:
            raise KeyError(f"no service {service}")
        return row

    def _refill(self, refill: str) -> Refill:
        wanted = number(refill)
        found = None if wanted is None else self.book.refills.get(wanted)
        if found is None:
            raise KeyError(f"no refill {refill!r}")
        return found


def _placed(order: Order | Series, now: float) -> PlacedOrder:
    look = order.look(now)
    return PlacedOrder(
        str(order.number),
        order.account.label,
        str(order.service),
        order.link,
        order.quantity,
        look.status,
        look.remains if isinstance(look, Look) else None,
        order.paid,
        order.paid - order.refunded,
        instant(order.placed_at),
        None if order.parent is None else str(order.parent),
        tuple(str(number) for number in order.orders) if isinstance(order, Series) else (),
    )
