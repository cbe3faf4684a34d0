"""JSON of a panel decoded: bounded in memory, and without guessing where it contradicts itself."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Final, Never

from smm_rules.panel.errors import Unreadable

#: The most members, rows and entries of one answer. Small values take some fifty times their text in memory;
#: a catalogue of 20,000 services with long descriptions has about half as many.
MOST_PARTS = 1_000_000
#: Longer than any sum of money that a panel writes.
_LONGEST_NUMBER = 100


class Garbled:
    """What stands for a value that can't be understood. No reader takes it for text, number or object."""

    def __repr__(self) -> str:
        return "GARBLED"


GARBLED: Final = Garbled()


def decode(body: str) -> object:
    """The JSON in `body`, numbers with a point as Decimal; `Unreadable` says what it is instead.

    JSON leaves open what a member means that an object names twice. Where the two differ, the object is
    `GARBLED`; in an object of entries by ID only that entry is.
    """
    if sum(map(body.count, "[{,")) > MOST_PARTS:
        raise Unreadable(f"an answer of more than {MOST_PARTS} parts")
    try:
        document: object = _DECODER.decode(body)
    except RecursionError:
        raise Unreadable("JSON nested too deeply") from None
    except ValueError:
        raise Unreadable(f"{_kind(body)} instead of JSON") from None
    return document


def _decimal(written: str) -> Decimal | Garbled:
    if len(written) > _LONGEST_NUMBER:
        return GARBLED
    try:
        return Decimal(written)
    except InvalidOperation:
        return GARBLED  # an exponent beyond what a Decimal holds


def _object(pairs: list[tuple[str, object]]) -> dict[str, object] | Garbled:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    seen: dict[str, object] = {}
    for name, value in pairs:
        if name not in seen:
            seen[name] = value
        elif seen[name] != value or type(seen[name]) is not type(value):
            if not name.isdecimal():
                return GARBLED
            seen[name] = GARBLED
    return seen


def _no_number(constant: str) -> Never:
    raise ValueError(f"{constant} is not JSON")


#: Made once: `json.loads` with arguments makes one each time.
_DECODER = json.JSONDecoder(parse_float=_decimal, parse_constant=_no_number, object_pairs_hook=_object)


def _kind(body: str) -> str:
    start = body[:200].lstrip()
    if not start:
        return "an empty answer"
    if start.startswith("<"):
        return "an HTML page"
    return "broken text"
