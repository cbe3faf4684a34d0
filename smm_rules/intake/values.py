"""One order from plain texts, every value checked on its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from smm_rules.document.problem import did_you_mean
from smm_rules.facts import Entity, EntityKind
from smm_rules.intake.columns import LABEL, ORDER, PANEL, PLACED_AT, RATE, SERVICE
from smm_rules.intake.lines import IntakeOptions, Unacceptable, shown
from smm_rules.ledger.records import NewOrder, OrderSource

#: IDs are the panel's own text: mostly digits, letters on some.
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,12}", re.ASCII)
#: Control characters but the tab, and halves of surrogate pairs.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")
_LONGEST_LABEL = 200
_LONGEST_LINK = 2_048
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCKS_DIFFER = timedelta(days=1)
#: Parameters that are lists, one entry a line.
LISTS = frozenset({"comments", "usernames", "hashtags", "groups", "keywords"})


@dataclass(frozen=True, slots=True)
class Purchase:
    """An order to be placed. `parameters` are those of `add`, `service` among them."""

    panel: str
    parameters: dict[str, str]
    label: str = ""


def order_from(values: Mapping[str, str], options: IntakeOptions) -> NewOrder:
    """The order that `values` (by the names of `columns`) describe; `Unacceptable` says what is wrong.

    Empty values count as not given.
    """
    given = {name: text for name, written in values.items() if (text := written.strip())}
    if ORDER not in given:
        raise Unacceptable("the order's ID is missing", "Give the ID that the panel shows for the order")
    entity = Entity(
        EntityKind.ORDER,
        _panel(given.pop(PANEL, None), options),
        identifier(given.pop(ORDER).removeprefix("#"), "order ID"),
    )
    service = given.pop(SERVICE, None)
    placed_at = given.pop(PLACED_AT, None)
    return NewOrder(
        entity=entity,
        service=None if service is None else identifier(service, "service ID"),
        placed_at=None if placed_at is None else instant(placed_at, options),
        label=_text(given.pop(LABEL, ""), LABEL, _LONGEST_LABEL),
        parameters={name: _parameter(name, text) for name, text in given.items()},
        source=OrderSource.TRACKED,
    )


def purchase_from(values: Mapping[str, str], options: IntakeOptions) -> Purchase:
    """The order to be placed that `values` (by the names of `columns`) describe, checked like a known one.

    Empty values count as not given. `Unacceptable` says what is wrong.
    """
    given = {name: text for name, written in values.items() if (text := written.strip())}
    for name in (ORDER, PLACED_AT, RATE):
        if name in given:
            raise Unacceptable(f'"{name}" can\'t be asked for when an order is placed', "Leave it out")
    if SERVICE not in given:
        raise Unacceptable("no service is named", "Give the ID of a service in the panel's catalogue")
    panel = _panel(given.pop(PANEL, None), options)
    label = _text(given.pop(LABEL, ""), LABEL, _LONGEST_LABEL)
    service = identifier(given.pop(SERVICE), "service ID")
    parameters = {name: _parameter(name, text) for name, text in given.items()}
    return Purchase(panel, {SERVICE: service, **parameters}, label)


def check_value(name: str, text: str, options: IntakeOptions) -> None:
    """`Unacceptable` unless this one value (its name is one of `columns`) can be used; blank ones can."""
    given = text.strip()
    if not given:
        return
    if name == PANEL:
        _panel(given, options)
    elif name == ORDER:
        identifier(given.removeprefix("#"), "order ID")
    elif name == SERVICE:
        identifier(given, "service ID")
    elif name == PLACED_AT:
        instant(given, options)
    elif name == LABEL:
        _text(given, LABEL, _LONGEST_LABEL)
    else:
        _parameter(name, given)


def identifier(text: str, meaning: str) -> str:
    """An ID as panels write them."""
    if not _ID.fullmatch(text):
        raise Unacceptable(f"{shown(text)} is no {meaning}", "An ID is up to 64 digits or plain letters")
    return text


def instant(text: str, options: IntakeOptions) -> datetime:
    """An ISO 8601 time as UTC; without a zone it needs the options' time zone."""
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        raise Unacceptable(f"{shown(text)} is no time", "Write it like 2025-03-01T14:30:00+03:00") from None
    if written.tzinfo is None:
        if options.time_zone is None:
            raise Unacceptable(
                f"{shown(text)} doesn't say its time zone",
                "Write it like 2025-03-01T14:30:00Z, or say which zone times are in (--time-zone)",
            )
        written = written.replace(tzinfo=options.time_zone)
    try:
        moment = written.astimezone(UTC)
    except OverflowError:
        raise Unacceptable(f"{shown(text)} is out of range") from None
    if not _EARLIEST <= moment <= options.now + _CLOCKS_DIFFER:
        raise Unacceptable(f"{shown(text)} can't be when the order was placed", "Check the year")
    return moment


def _panel(text: str | None, options: IntakeOptions) -> str:
    name = text or options.default_panel
    if name is None:
        raise Unacceptable(
            "no panel is named", 'Add a column "panel", or say which panel they are on (--panel)'
        )
    if name not in options.panels:
        known = ", ".join(sorted(options.panels)) or "none"
        to_do = did_you_mean(name, options.panels) or f"Configured panels: {known}"
        raise Unacceptable(f"{shown(name)} is not a configured panel", to_do)
    return name


def _parameter(name: str, text: str) -> str:
    if name == "quantity":
        if not _WHOLE.fullmatch(text) or not int(text):
            raise Unacceptable(f"{shown(text)} is no quantity", "Write a whole number above 0, like 1000")
        return str(int(text))
    if name == RATE:
        return _rate(text)
    if name in LISTS:
        return "\n".join(_text(entry.rstrip(), name, len(entry)) for entry in text.splitlines())
    return _text(text, name, _LONGEST_LINK)


def _rate(text: str) -> str:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal(-1)
    if not (rate.is_finite() and 0 <= rate < 1_000_000_000) or len(text) > 30:
        raise Unacceptable(f"{shown(text)} is no rate", "Write the price of 1000, like 0.90")
    return format(rate, "f")


def _text(text: str, name: str, longest: int) -> str:
    if len(text) > longest:
        raise Unacceptable(f'"{name}" is longer than {longest} characters', "Shorten it")
    if _CONTROL.search(text):
        raise Unacceptable(f'"{name}" holds a control character: {shown(text)}', "Remove it")
    return text
