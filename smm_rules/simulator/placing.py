"""Checks an `add` as a panel does: which parameters a type needs, how many that buys, what it costs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from smm_rules.simulator.catalogue import Service, ServiceType
from smm_rules.simulator.refusal import Reason, Refusal

#: Money is kept to this many places, as panels show it.
CENT = Decimal("0.00001")

_QUANTITY = "quantity"
#: The text parameters a type needs beside `link` and `quantity`.
_NEEDED: dict[str, tuple[str, ...]] = {
    ServiceType.CUSTOM_COMMENTS: ("comments",),
    ServiceType.CUSTOM_COMMENTS_PACKAGE: ("comments",),
    ServiceType.MENTIONS: ("usernames",),
    ServiceType.MENTIONS_WITH_HASHTAGS: ("usernames", "hashtags"),
    ServiceType.MENTIONS_CUSTOM_LIST: ("usernames",),
    ServiceType.MENTIONS_HASHTAG: ("hashtag",),
    ServiceType.MENTIONS_USER_FOLLOWERS: ("username",),
    ServiceType.MENTIONS_MEDIA_LIKERS: ("media",),
    ServiceType.COMMENT_LIKES: ("username",),
    ServiceType.COMMENT_REPLIES: ("username", "comments"),
    ServiceType.POLL: ("answer_number",),
    ServiceType.INVITES_FROM_GROUPS: ("groups",),
    ServiceType.SEO: ("keywords",),
    ServiceType.WEB_TRAFFIC: ("country", "device", "type_of_traffic"),
}
#: Types whose quantity is the number of lines of a parameter.
_COUNTED: dict[str, str] = {
    ServiceType.CUSTOM_COMMENTS: "comments",
    ServiceType.MENTIONS_CUSTOM_LIST: "usernames",
    ServiceType.COMMENT_REPLIES: "comments",
}
_PACKAGES = frozenset({ServiceType.PACKAGE, ServiceType.CUSTOM_COMMENTS_PACKAGE})
_LONGEST_NUMBER = 18
_LONGEST_DELAY = 1440


@dataclass(frozen=True, slots=True)
class DripFeed:
    """`runs` orders, one every `interval` minutes."""

    runs: int
    interval: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """An order of `least` to `most` for each new post, `delay` minutes after it.

    `posts` is how many new posts are served, None for all of them; `old_posts` already there are served at
    once; `expiry` is the last day as the caller wrote it, `expires_at` its end in seconds since 1970.
    """

    least: int
    most: int
    delay: int
    posts: int | None
    old_posts: int
    expiry: str | None
    expires_at: float | None


@dataclass(frozen=True, slots=True)
class Purchase:
    """A checked `add`: `quantity` of one run, and `cost` of the whole, nothing yet for a subscription."""

    service: Service
    link: str
    quantity: int
    cost: Decimal
    series: DripFeed | Subscription | None


def number(text: str | None) -> int | None:
    """The whole number 0 or above written in `text` in plain digits, else None."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > _LONGEST_NUMBER:
        return None
    return int(text)


def price(service: Service, quantity: int) -> Decimal:
    """What `quantity` costs: rate for a thousand, or the rate itself for the package types."""
    cost = service.rate if service.type in _PACKAGES else service.rate * quantity / 1000
    return cost.quantize(CENT, ROUND_HALF_UP)


def check_purchase(service: Service, parameters: Mapping[str, str]) -> Purchase:
    """What an `add` with `parameters` would buy; `Refusal` names what is wrong with it."""
    if service.type == ServiceType.SUBSCRIPTIONS:
        username = _text(parameters, "username")
        return Purchase(service, username, 0, Decimal(0), _subscription(service, parameters))
    link = _link(parameters)
    for name in _NEEDED.get(service.type, ()):
        _text(parameters, name)
    quantity = _quantity(service, parameters)
    dripfeed = _dripfeed(service, parameters)
    cost = price(service, quantity) * (dripfeed.runs if dripfeed else 1)
    return Purchase(service, link, quantity, cost, dripfeed)


def _text(parameters: Mapping[str, str], name: str) -> str:
    text = parameters.get(name, "").strip()
    if not text:
        raise Refusal(Reason.INCORRECT_PARAMETER, name)
    return text


def _link(parameters: Mapping[str, str]) -> str:
    link = parameters.get("link", "").strip()
    if not link or re.search(r"\s", link):
        raise Refusal(Reason.INCORRECT_LINK)
    return link


def _quantity(service: Service, parameters: Mapping[str, str]) -> int:
    if service.type in _PACKAGES:
        return 1
    counted = _COUNTED.get(service.type)
    if counted is None:
        quantity = number(parameters.get(_QUANTITY, "").strip())
    else:
        quantity = sum(1 for line in parameters[counted].splitlines() if line.strip())
    if not quantity:
        raise Refusal(Reason.INCORRECT_QUANTITY)
    _in_bounds(service, quantity)
    return quantity


def _in_bounds(service: Service, quantity: int) -> None:
    if quantity < service.min:
        raise Refusal(Reason.QUANTITY_TOO_SMALL, str(service.min))
    if quantity > service.max:
        raise Refusal(Reason.QUANTITY_TOO_LARGE, str(service.max))


def _dripfeed(service: Service, parameters: Mapping[str, str]) -> DripFeed | None:
    if not parameters.get("runs"):
        return None
    if not service.dripfeed:
        raise Refusal(Reason.NO_DRIPFEED)
    runs, interval = _count(parameters, "runs"), _count(parameters, "interval")
    if runs < 1 or interval < 1:
        raise Refusal(Reason.INCORRECT_PARAMETER, "runs" if runs < 1 else "interval")
    return DripFeed(runs, interval)


def _count(parameters: Mapping[str, str], name: str) -> int:
    count = number(parameters.get(name, "").strip())
    if count is None or count > 1_000_000:
        raise Refusal(Reason.INCORRECT_PARAMETER, name)
    return count


def _subscription(service: Service, parameters: Mapping[str, str]) -> Subscription:
    least, most, delay = (_count(parameters, name) for name in ("min", "max", "delay"))
    _in_bounds(service, least)
    _in_bounds(service, most)
    if least > most:
        raise Refusal(Reason.INCORRECT_PARAMETER, "max")
    if delay > _LONGEST_DELAY:
        raise Refusal(Reason.INCORRECT_PARAMETER, "delay")
    posts = _count(parameters, "posts") if parameters.get("posts") else None
    old_posts = _count(parameters, "old_posts") if parameters.get("old_posts") else 0
    expiry = parameters.get("expiry", "").strip() or None
    return Subscription(least, most, delay, posts, old_posts, expiry, _end_of_day(expiry))


def _end_of_day(expiry: str | None) -> float | None:
    if expiry is None:
        return None
    try:
        day = datetime.strptime(expiry, "%d/%m/%Y").replace(tzinfo=UTC)
    except ValueError:
        raise Refusal(Reason.INCORRECT_PARAMETER, "expiry") from None
    return day.timestamp() + 86_400
