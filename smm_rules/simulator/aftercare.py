"""What can be asked of an order that exists: a refill, a cancel, and what comes of them."""

from __future__ import annotations

from decimal import ROUND_DOWN

from smm_rules.simulator.book import Book
from smm_rules.simulator.catalogue import AfterPartial
from smm_rules.simulator.journal import Kind
from smm_rules.simulator.orders import Account, Order, Refill, Series
from smm_rules.simulator.placing import CENT, DripFeed, number
from smm_rules.simulator.refusal import Reason, Refusal
from smm_rules.simulator.statuses import ENDED, RefillStatus, Status


def ask_refill(book: Book, account: Account, order_id: str, now: float, request: int) -> Refill:
    """Accept a refill of an order, or raise the `Refusal` a panel would give."""
    order = book.find(account, order_id, now)
    if isinstance(order, Series) or not _refillable(book, order, now):
        raise Refusal(Reason.REFILL_UNAVAILABLE)
    if order.refill_under_way(now):
        raise Refusal(Reason.REFILL_UNDER_WAY)
    _check_pause(book, order, now)
    fresh = book.next_refill()
    course = book.settings.script.refill_course(book.settings.seed, fresh)
    refill = Refill(fresh, order.number, account, now, course)
    book.refills[fresh] = refill
    order.refills.append(refill)
    book.timeline.at(now + course.ends_after, lambda when: _course_ends(book, order, refill, when))
    book.journal.effect(Kind.REFILL_MADE, now, request=request, key=account.label,
                        order=str(order.number), refill=str(fresh))  # fmt: skip
    return refill


def _refillable(book: Book, order: Order, now: float) -> bool:
    service = book.catalogue.get(order.service)
    if service is None or not service.refill:
        return False
    status, _ = order.state(now)
    if status == Status.PARTIAL:
        return order.after_partial is AfterPartial.REFILL
    return status == Status.COMPLETED


def _check_pause(book: Book, order: Order, now: float) -> None:
    if not order.refills:
        return
    left = order.refills[-1].made_at + book.settings.refill_pause.total_seconds() - now
    if left > 0:
        raise Refusal(Reason.REFILL_TOO_EARLY, str(-int(-left // 3600)))


def _course_ends(book: Book, order: Order, refill: Refill, now: float) -> None:
    if refill.pinned is None:
        end_refill(book, order, refill, now)


def end_refill(book: Book, order: Order, refill: Refill, now: float) -> None:
    """A refill is over: when it completed, nothing is missing from its order any more."""
    status = refill.status(now)
    book.journal.effect(Kind.REFILL_ENDED, now, key=order.account.label, order=str(order.number),
                        refill=str(refill.number), note=status)  # fmt: skip
    if status == RefillStatus.COMPLETED:
        order.pin(Status.COMPLETED, 0, now)


def refill_status(book: Book, account: Account, refill_id: str, now: float) -> str:
    """The status of a refill; `Refusal` when it isn't the account's."""
    wanted = number(refill_id)
    refill = None if wanted is None else book.refills.get(wanted)
    if refill is None or refill.account is not account:
        raise Refusal(Reason.INCORRECT_REFILL)
    return refill.status(now)


def ask_cancel(book: Book, account: Account, order_id: str, now: float, request: int) -> int:
    """Accept the cancel of an order, to take effect later; the order's number."""
    order = book.find(account, order_id, now)
    service = book.catalogue.get(order.service)
    if service is None or not service.cancel or order.look(now).status in ENDED:
        raise Refusal(Reason.CANCEL_UNAVAILABLE)
    if order.cancel_due is not None:
        raise Refusal(Reason.CANCEL_UNDER_WAY)
    order.cancel_due = now + book.settings.script.cancel_delay_seconds(book.settings.seed, order.number)
    book.timeline.at(order.cancel_due, lambda when: _cancel(book, order, when))
    book.journal.effect(Kind.CANCEL_ACCEPTED, now, request=request, key=account.label,
                        order=str(order.number))  # fmt: skip
    return order.number


def _cancel(book: Book, order: Order | Series, now: float) -> None:
    """An accepted cancel takes effect, unless the order ended first."""
    if order.look(now).status in ENDED:
        return
    book.journal.effect(Kind.CANCELED, now, key=order.account.label, order=str(order.number))
    if isinstance(order, Order):
        order.pin(Status.CANCELED, order.state(now)[1], now)
        book.settle(order, now)
        return
    order.status = Status.CANCELED
    if isinstance(order.plan, DripFeed):
        # The runs that were made go on as orders of their own; those that weren't are given back.
        left = order.plan.runs - len(order.orders)
        owed = (order.paid * left / order.plan.runs).quantize(CENT, ROUND_DOWN)
        if owed > 0:
            order.refunded += owed
            book.refund(order, owed, now)
