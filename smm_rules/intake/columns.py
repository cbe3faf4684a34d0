"""The names a source may use for what it says of an order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, partial

from smm_rules.document.problem import did_you_mean
from smm_rules.intake.lines import Unacceptable, shown

ORDER, SERVICE, PLACED_AT, LABEL, PANEL, RATE = "order", "service", "placed_at", "label", "panel", "rate"
#: What a row of orders to be placed is known by; the operator's own.
REFERENCE = "reference"

#: Everything an `add` takes on any service type, by the API's own names.
PARAMETERS = frozenset(
    {
        "link", "quantity", "runs", "interval", "comments", "usernames", "hashtags", "hashtag", "username",
        "media", "answer_number", "groups", "keywords", "country", "device", "type_of_traffic",
        "google_keyword", "referring_url", "min", "max", "delay", "posts", "old_posts", "expiry",
    }
)  # fmt: skip

_ALIASES = {
    "id": ORDER,
    "order_id": ORDER,
    "orderid": ORDER,
    "service_id": SERVICE,
    "serviceid": SERVICE,
    "url": "link",
    "qty": "quantity",
    "created_at": PLACED_AT,
    "created": PLACED_AT,
    "date": PLACED_AT,
    "placed": PLACED_AT,
    "note": LABEL,
    "notes": LABEL,
    "panel_name": PANEL,
    "price_per_1000": RATE,
}
_OWN = frozenset({ORDER, SERVICE, PLACED_AT, LABEL, PANEL, RATE})

#: What exports of panels hold and the daemon reads from the panel itself: passed over.
IGNORED = frozenset({"status", "charge", "start_count", "remains", "currency", "service_name", "category"})

#: `parameter.NAME` gives a parameter that only some panel knows.
_FREE = re.compile(r"parameter\.([a-z][a-z0-9_]{0,39})", re.ASCII)

NAMES = tuple(sorted(_OWN | PARAMETERS | _ALIASES.keys() | IGNORED))


@lru_cache(maxsize=1024)
def column(written: str, ignored: frozenset[str] = frozenset()) -> str | None:
    """The one name for a column as written, None for one to pass over.

    `Unacceptable` when nobody knows it.
    """
    name = _plain(written)
    if name in IGNORED or name in {_plain(text) for text in ignored}:
        return None
    name = _ALIASES.get(name, name)
    if name in _OWN or name in PARAMETERS:
        return name
    if free := _FREE.fullmatch(name):
        return free[1]
    if not written.strip():
        raise Unacceptable("a column has no name", "Name it or remove it")
    raise Unacceptable(f"{shown(written.strip())} is not a known column", _way_out(name))


def columns(written: Iterable[str], ignored: frozenset[str] = frozenset()) -> list[str | None]:
    """The names for a whole header; `Unacceptable` names every problem in it at once."""
    names = _named(written, partial(column, ignored=ignored))
    if ORDER not in names:
        raise Unacceptable("no column gives the order's ID", 'Name it "order", "order_id" or "id"')
    return names


def purchase_columns(written: Iterable[str], ignored: frozenset[str] = frozenset()) -> list[str | None]:
    """The names for the header of a file of orders to be placed; as `columns` does it."""
    names = _named(written, partial(_purchase_column, ignored=ignored))
    if SERVICE not in names:
        raise Unacceptable("no column gives the service", 'Name it "service" or "service_id"')
    return names


def _purchase_column(written: str, ignored: frozenset[str]) -> str | None:
    if _plain(written) == REFERENCE and REFERENCE not in {_plain(text) for text in ignored}:
        return REFERENCE
    name = column(written, ignored)
    if name in (ORDER, PLACED_AT, RATE):
        told = f"{shown(written.strip())} is known of an order that was placed, not of one that is to be"
        to_do = 'Leave it out; a number of your own goes into a column "reference"' if name == ORDER else ""
        raise Unacceptable(told, to_do or "Leave it out")
    return name


def _named(written: Iterable[str], naming: Callable[[str], str | None]) -> list[str | None]:
    names: list[str | None] = []
    problems: list[Unacceptable] = []
    for text in written:
        try:
            name = naming(text)
        except Unacceptable as problem:
            problems.append(problem)
            continue
        if name is not None and name in names:
            problems.append(Unacceptable(f'two columns say "{name}"', "Remove one of them"))
        names.append(name)
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise Unacceptable("; ".join(str(problem) for problem in problems))
    return names


def _plain(written: str) -> str:
    return re.sub(r"[\s-]+", "_", written.strip().casefold())


def _way_out(name: str) -> str:
    near = did_you_mean(name, NAMES)
    known = "" if near else f"Known are {', '.join(sorted(_OWN | PARAMETERS))}. "
    return f"{near + ' ' if near else known}To pass it over, name it as ignored"
