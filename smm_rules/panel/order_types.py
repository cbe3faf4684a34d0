"""The table of service types: which parameters an `add` of each takes, and how each is written.

The source is the panels' own API pages; type names are matched whatever their case and spacing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

#: No list of comments or user names is longer.
LONGEST_LIST = 100_000
LONGEST_VALUE = 2048
LARGEST_NUMBER = 10**12

#: Gives the value as it is sent; `ValueError` says what it should be.
Check = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class OrderType:
    """The parameters of one service type besides `service`.

    `together` names optional parameters that make sense only side by side. `counted` is the list whose
    length is the quantity, for types that take no `quantity`. `package` marks a type priced as one thing.
    """

    name: str
    required: Mapping[str, Check]
    optional: Mapping[str, Check] = field(default_factory=dict)
    together: tuple[str, ...] = ()
    counted: str = ""
    package: bool = False

    @property
    def parameters(self) -> dict[str, Check]:
        return {**self.required, **self.optional}


def single_line(value: str) -> str:
    """Text in one line."""
    if not value:
        raise ValueError("must not be empty")
    if len(value) > LONGEST_VALUE:
        raise ValueError(f"must not be longer than {LONGEST_VALUE} characters")
    if any(ord(character) < 32 or character == "\x7f" for character in value):
        raise ValueError("must be one line without control characters")
    return value


def lines(value: str) -> str:
    """A list, one entry a line. Blank lines are dropped: panels would count them."""
    if len(value) > LONGEST_LIST:
        raise ValueError(f"must not be longer than {LONGEST_LIST} characters")
    entries = [entry.strip() for entry in value.splitlines()]
    kept = [entry for entry in entries if entry]
    if not kept:
        raise ValueError("must have at least one line")
    return "\n".join(kept)


def number_from(smallest: int, largest: int = LARGEST_NUMBER) -> Check:
    """A whole number in digits, between the two inclusive."""

    def check(value: str) -> str:
        if value.isascii() and value.isdigit() and len(value) <= len(str(LARGEST_NUMBER)):
            number = int(value)
            if smallest <= number <= largest:
                return str(number)
        bounds = f"from {smallest} to {largest}" if largest < LARGEST_NUMBER else f"of {smallest} or more"
        raise ValueError(f"must be a whole number {bounds}, written in digits")

    return check


def one_of(*choices: str) -> Check:
    """One of a few fixed values."""

    def check(value: str) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value

    return check


def day(value: str) -> str:
    """A date as d/m/Y, such as 31/12/2030."""
    parts = value.split("/")
    if len(parts) == 3 and all(part.isascii() and part.isdigit() for part in parts) and len(parts[2]) == 4:
        try:
            return date(int(parts[2]), int(parts[1]), int(parts[0])).strftime("%d/%m/%Y")
        except ValueError:
            pass
    raise ValueError("must be a date written day/month/year, like 31/12/2030")


_LINK: dict[str, Check] = {"link": single_line}
_QUANTITY: dict[str, Check] = {"quantity": number_from(1)}
_LINK_QUANTITY = _LINK | _QUANTITY
_DRIP: dict[str, Check] = {"runs": number_from(1), "interval": number_from(1)}
_COMMENTS: dict[str, Check] = {"comments": lines}
_USERNAME: dict[str, Check] = {"username": single_line}
_USERNAMES: dict[str, Check] = {"usernames": lines}

_TYPES = (
    OrderType("Default", _LINK_QUANTITY, _DRIP, together=("runs", "interval")),
    OrderType("Package", _LINK, package=True),
    OrderType("Custom Comments", _LINK | _COMMENTS, counted="comments"),
    OrderType("Custom Comments Package", _LINK | _COMMENTS, package=True),
    OrderType("Mentions", _LINK_QUANTITY | _USERNAMES),
    OrderType("Mentions with Hashtags", _LINK_QUANTITY | _USERNAMES | {"hashtags": lines}),
    OrderType("Mentions Custom List", _LINK | _USERNAMES, counted="usernames"),
    OrderType("Mentions Hashtag", _LINK_QUANTITY | {"hashtag": single_line}),
    OrderType("Mentions User Followers", _LINK_QUANTITY | _USERNAME),
    OrderType("Mentions Media Likers", _LINK_QUANTITY | {"media": single_line}),
    OrderType("Comment Likes", _LINK_QUANTITY | _USERNAME),
    OrderType("Comment Replies", _LINK | _USERNAME | _COMMENTS, counted="comments"),
    OrderType("Poll", _LINK_QUANTITY | {"answer_number": single_line}),
    OrderType("Invites from Groups", _LINK_QUANTITY | {"groups": lines}),
    OrderType("SEO", _LINK_QUANTITY | {"keywords": lines}),
    OrderType(
        "Web Traffic",
        _LINK_QUANTITY
        | {
            "country": single_line,
            # 1 desktop, 2 Android, 3 iOS, 4 mobile mixed, 5 all mixed
            "device": one_of("1", "2", "3", "4", "5"),
            # 1 a search for google_keyword, 2 a referrer, 3 no referrer
            "type_of_traffic": one_of("1", "2", "3"),
        },
        _DRIP | {"google_keyword": single_line, "referring_url": single_line},
        together=("runs", "interval"),
    ),
    OrderType(
        "Subscriptions",
        # Panels offer delays of 0, 5, 10, 15, 30, 60, 90 … minutes; how far the row goes differs.
        _USERNAME | {"min": number_from(1), "max": number_from(1), "delay": number_from(0)},
        {"posts": number_from(0), "old_posts": number_from(0), "expiry": day},
    ),
)


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


#: Every known type by its name as the panels' pages write it.
ORDER_TYPES: Mapping[str, OrderType] = MappingProxyType({known.name: known for known in _TYPES})
_BY_FOLDED_NAME = {_folded(known.name): known for known in _TYPES}


def order_type(name: str) -> OrderType | None:
    """The service type of that name, whatever its case and spacing; None for one nobody knows."""
    return _BY_FOLDED_NAME.get(_folded(name))
