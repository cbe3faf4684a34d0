"""Selling: an `add` becomes an order, a drip-feed or a subscription, and the money leaves the balance."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from smm_rules.simulator.book import Book
from smm_rules.simulator.catalogue import Service
from smm_rules.simulator.course import draw
from smm_rules.simulator.journal import Kind
from smm_rules.simulator.orders import Account, Order, Series
from smm_rules.simulator.placing import DripFeed, Purchase, Subscription, check_purchase, price
from smm_rules.simulator.refusal import Reason, Refusal
from smm_rules.simulator.statuses import ENDED, Status


def sell(book: Book, account: Account, parameters: Mapping[str, str], now: float, request: int) -> int:
    """Make what `parameters` ask for; the order's number. `Refusal` when the panel won't."""
    purchase = check_purchase(book.service(parameters.get("service", "")), parameters)
    if book.settings.one_order_per_link and _link_taken(book, account, purchase, now):
        raise Refusal(Reason.DUPLICATE_ORDER)
    if purchase.cost > account.balance:
        raise Refusal(Reason.NOT_ENOUGH_FUNDS)
    account.balance -= purchase.cost
    order = _make(book, account, purchase, parameters, now)
    _note(book, order, purchase.cost, now, request)
    if isinstance(order, Series):
        _begin(book, order, now)
    return order.number


def place(
    book: Book, account: Account, purchase: Purchase, parameters: Mapping[str, str], now: float
) -> Order | Series:
    """Make an order that was paid before this panel's books began, so that neither money nor journal move."""
    order = _make(book, account, purchase, parameters, now)
    if isinstance(order, Series):
        _begin(book, order, now)
    return order


def _make(
    book: Book, account: Account, purchase: Purchase, parameters: Mapping[str, str], now: float
) -> Order | Series:
    if purchase.series is not None:
        return _new_series(book, account, purchase, parameters, now)
    return book.new_order(
        account,
        purchase.service,
        parameters,
        link=purchase.link,
        quantity=purchase.quantity,
        paid=purchase.cost,
        now=now,
    )


def _link_taken(book: Book, account: Account, purchase: Purchase, now: float) -> bool:
    return any(
        order.account is account
        and order.link == purchase.link
        and order.service == purchase.service.id
        and order.look(now).status not in ENDED
        for order in book.orders.values()
    )


def _note(book: Book, order: Order | Series, amount: Decimal, now: float, request: int = 0) -> None:
    book.journal.effect(
        Kind.ORDER_MADE,
        now,
        request=request,
        key=order.account.label,
        order=str(order.number),
        service=str(order.service),
        parent="" if order.parent is None else str(order.parent),
        amount=amount,
        parameters=dict(order.parameters),
    )


def _new_series(
    book: Book, account: Account, purchase: Purchase, parameters: Mapping[str, str], now: float
) -> Series:
    assert purchase.series is not None
    series = Series(
        book.next_order(),
        account,
        purchase.service.id,
        parameters,
        purchase.link,
        purchase.quantity,
        purchase.cost,
        now,
        purchase.series,
    )
    book.orders[series.number] = series
    return series


def _begin(book: Book, series: Series, now: float) -> None:
    """Plan the first run, or serve the old posts and wait for the first new one."""
    if isinstance(series.plan, DripFeed):
        _run(book, series, now)
        return
    plan = series.plan
    if plan.expires_at is not None:
        book.timeline.at(max(now, plan.expires_at), lambda _: _expire(series))
    for _ in range(plan.old_posts):
        if series.status == Status.ACTIVE:
            _serve_post(book, series, plan, now)
    _await_post(book, series, plan, now)


def _expire(series: Series) -> None:
    if series.status == Status.ACTIVE:
        series.status = Status.EXPIRED


def _run(book: Book, series: Series, now: float) -> None:
    """One run of a drip-feed. It is paid already, so the order made for it takes nothing from the balance."""
    assert isinstance(series.plan, DripFeed)
    if series.status != Status.ACTIVE:
        return
    order = _suborder(book, series, series.quantity, series.paid / series.plan.runs, now)
    _note(book, order, Decimal(0), now)
    if len(series.orders) < series.plan.runs:
        book.timeline.at(now + 60 * series.plan.interval, lambda when: _run(book, series, when))
    else:
        ends = order.course.ends_after
        if ends is not None:
            book.timeline.at(now + ends, lambda _: _complete(series))


def _complete(series: Series) -> None:
    if series.status == Status.ACTIVE:
        series.status = Status.COMPLETED


def _suborder(book: Book, series: Series, quantity: int, paid: Decimal, now: float) -> Order:
    service = book.catalogue.get(series.service) or _delisted(book, series)
    order = book.new_order(
        series.account,
        service,
        {},
        link=series.link,
        quantity=quantity,
        paid=paid,
        now=now,
        parent=series.number,
    )
    series.orders.append(order.number)
    return order


def _delisted(book: Book, series: Series) -> Service:
    """The service as it was sold at first: what is running goes on after a service is gone."""
    return next(service for service in book.settings.services if service.id == series.service)


def _await_post(book: Book, series: Series, plan: Subscription, now: float) -> None:
    """Plan the next new post, unless the subscription has had all it asked for."""
    if series.status != Status.ACTIVE:
        return
    fresh = len(series.orders) - plan.old_posts
    if plan.posts is not None and fresh >= plan.posts:
        series.status = Status.COMPLETED
        return
    wait = book.settings.script.post_interval_seconds(book.settings.seed, series.number, fresh)

    def post(when: float) -> None:
        if series.status == Status.ACTIVE:
            _serve_post(book, series, plan, when)
            _await_post(book, series, plan, when)

    book.timeline.at(now + wait + 60 * plan.delay, post)


def _serve_post(book: Book, series: Series, plan: Subscription, now: float) -> None:
    """Order for one post and charge it; a subscription nobody can pay pauses."""
    spread = plan.most - plan.least + 1
    quantity = plan.least + draw(book.settings.seed, series.number, 1000 + len(series.orders)) % spread
    service = book.catalogue.get(series.service) or _delisted(book, series)
    cost = price(service, quantity)
    if cost > series.account.balance:
        series.status = Status.PAUSED
        return
    series.account.balance -= cost
    order = _suborder(book, series, quantity, cost, now)
    _note(book, order, cost, now)
