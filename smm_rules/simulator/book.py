"""Everything the panel remembers: accounts, catalogue, orders, refills, and what is to happen next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from smm_rules.simulator.bulk import BulkOrders
from smm_rules.simulator.catalogue import AfterPartial, Catalogue, Service
from smm_rules.simulator.course import Course
from smm_rules.simulator.journal import JournalWriter, Kind
from smm_rules.simulator.orders import Account, Look, Order, Refill, Series, SeriesLook
from smm_rules.simulator.placing import number
from smm_rules.simulator.refusal import Reason, Refusal
from smm_rules.simulator.settings import SimulatorSettings
from smm_rules.simulator.timeline import Timeline


class Book:
    """The panel's memory. It decides nothing; `sales` and `aftercare` do."""

    def __init__(self, settings: SimulatorSettings, journal: JournalWriter, start: float) -> None:
        self.settings = settings
        self.journal = journal
        self.start = start
        self.timeline = Timeline()
        self.catalogue = Catalogue(settings.services)
        self.accounts = {
            account.key: Account(account.label, account.balance, account.currency)
            for account in settings.accounts
        }
        self.orders: dict[int, Order | Series] = {}
        self.refills: dict[int, Refill] = {}
        self.bulk: BulkOrders | None = None
        self._last_order = max(settings.first_order - 1, journal.last_order)
        self._last_refill = journal.last_refill

    def next_order(self) -> int:
        """A fresh order number."""
        self._last_order += 1
        return self._last_order

    def next_refill(self) -> int:
        """A fresh refill number."""
        self._last_refill += 1
        return self._last_refill

    def account(self, label: str) -> Account:
        """The account labelled `label`; `KeyError` when there is none."""
        for account in self.accounts.values():
            if account.label == label:
                return account
        raise KeyError(f"no account labelled {label!r}")

    def service(self, text: str) -> Service:
        """The service on sale with the ID `text`."""
        wanted = number(text.strip())
        service = None if wanted is None else self.catalogue.get(wanted)
        if service is None:
            raise Refusal(Reason.INCORRECT_SERVICE)
        return service

    def load_bulk(self, bulk: BulkOrders) -> None:
        """Take a run of orders into the book; there can be one."""
        self.bulk = bulk
        self._last_order = max(self._last_order, bulk.first + bulk.count - 1)

    def look(self, account: Account, text: str, at: float) -> Look | SeriesLook:
        """The order with the ID `text` at the instant `at`; `Refusal` when it isn't the account's."""
        wanted = number(text)
        if wanted is not None:
            order = self.orders.get(wanted)
            if order is not None and order.account is account:
                return order.look(at)
            bulk = self.bulk
            if order is None and bulk is not None and bulk.account is account and wanted in bulk:
                return bulk.look(wanted, at)
        raise Refusal(Reason.INCORRECT_ORDER)

    def find(self, account: Account, text: str, now: float) -> Order | Series:
        """The order with the ID `text`, to be acted on; `Refusal` when it isn't the account's."""
        wanted = number(text)
        if wanted is not None:
            order = self.orders.get(wanted) or self._out_of_bulk(wanted, now)
            if order is not None and order.account is account:
                return order
        raise Refusal(Reason.INCORRECT_ORDER)

    def find_any(self, text: str, now: float) -> Order | Series:
        """The order with the ID `text`, whoever's; `KeyError` when there is none."""
        wanted = number(text)
        order = None if wanted is None else self.orders.get(wanted) or self._out_of_bulk(wanted, now)
        if order is None:
            raise KeyError(f"no order {text!r}")
        return order

    def _out_of_bulk(self, wanted: int, now: float) -> Order | None:
        if self.bulk is None or wanted not in self.bulk:
            return None
        order = self.bulk.order(wanted, now)
        self.take(order)
        return order

    def take(self, order: Order) -> None:
        """Keep `order`, and give back what is owed when its course ends."""
        self.orders[order.number] = order
        ends_after = order.course.ends_after
        if ends_after is not None and order.pinned is None:
            self.timeline.at(order.placed_at + ends_after, lambda when: self.settle(order, when))

    def settle(self, order: Order, now: float, request: int = 0) -> None:
        """Give back what `order` owes its account at `now`."""
        due = order.refund_due(now)
        if due > 0:
            order.refunded += due
            self.refund(order, due, now, request)

    def refund(self, order: Order | Series, amount: Decimal, now: float, request: int = 0) -> None:
        """Put `amount` back on the account of `order` and say so."""
        order.account.balance += amount
        self.journal.effect(Kind.REFUND, now, request=request, key=order.account.label,
                            order=str(order.number), amount=amount)  # fmt: skip

    def new_order(
        self,
        account: Account,
        service: Service,
        parameters: Mapping[str, str],
        *,
        link: str,
        quantity: int,
        paid: Decimal,
        now: float,
        course: Course | None = None,
        parent: int | None = None,
    ) -> Order:
        """Make and keep an order; the money is the caller's affair."""
        fresh = self.next_order()
        order = Order(
            fresh,
            account,
            service.id,
            parameters,
            link,
            quantity,
            paid,
            now,
            course or self.settings.script.course(self.settings.seed, fresh),
            AfterPartial(service.after_partial),
            parent,
        )
        self.take(order)
        return order

    def numbers(self) -> Iterator[int]:
        """Every order's number, the bulk's first."""
        if self.bulk is not None:
            yield from range(self.bulk.first, self.bulk.first + self.bulk.count)
        for known in self.orders:
            if self.bulk is None or known not in self.bulk:
                yield known

    def count(self) -> int:
        """How many orders there are."""
        if self.bulk is None:
            return len(self.orders)
        return self.bulk.count + sum(1 for known in self.orders if known not in self.bulk)
