"""The parameters of an `add`, checked before anything is sent, and what the order will cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from smm_rules.document.problem import did_you_mean
from smm_rules.panel.order_types import OrderType, lines, order_type
from smm_rules.panel.scalars import identifier, safe_text

_PER = Decimal(1000)
#: What the client itself puts into the form.
_RESERVED = frozenset({"key", "action"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
_LONGEST_UNKNOWN = 100_000


class OrderParameterError(Exception):
    """An `add` can't be sent. `problems` names every missing, unknown or malformed parameter."""

    def __init__(self, service_type: str, problems: tuple[str, ...]) -> None:
        self.service_type = service_type
        self.problems = problems
        super().__init__(f"an order of type {safe_text(service_type, 64)}: {'; '.join(problems)}")


def order_parameters(service_type: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters of an `add` as they are to be sent, `service` among them.

    Values are trimmed, lists put one entry a line without blank ones. Empty optional parameters are left
    out. A type nobody knows passes everything through but what the client sets itself. A `quantity` beside
    a list that makes the quantity must agree with it, and isn't sent. `OrderParameterError` otherwise.
    """
    given = {name: str(value).strip() for name, value in parameters.items()}
    known = order_type(service_type)
    checked, problems = _service(given)
    if known is None:
        more, troubles = _passed_through(given)
    else:
        more, troubles = _checked(known, {name: value for name, value in given.items() if value})
    if problems or troubles:
        raise OrderParameterError(service_type, (*problems, *troubles))
    return checked | more


def ordered_quantity(service_type: str, parameters: Mapping[str, str]) -> int | None:
    """How many are ordered in one run, to be held against the service's min and max.

    The `quantity`, or the length of the list that makes it; 1 for a package; None where the order has no
    single quantity (subscriptions) or it can't be read.
    """
    known = order_type(service_type)
    if known is not None and known.package:
        return 1
    if known is not None and known.counted:
        entries = parameters.get(known.counted, "").splitlines()
        return sum(1 for entry in entries if entry.strip()) or None
    return _count(parameters.get("quantity", ""))


def cost(rate: Decimal | None, parameters: Mapping[str, str], service_type: str) -> Decimal | None:
    """What the order costs in the panel's currency, by the `rate` of its service.

    The rate is the price of 1000, times the runs of a drip-feed order. A package is one thing and its rate
    its whole price; should a panel mean the thousandth part of it, too much is reserved, never too little.
    None for a subscription, whose number of posts nobody knows, for an unknown rate and for a quantity
    that can't be read.
    """
    if rate is None or not rate.is_finite() or rate < 0:
        return None
    known = order_type(service_type)
    if known is not None and known.package:
        return rate
    if known is not None and "quantity" not in known.required and not known.counted:
        return None
    quantity = ordered_quantity(service_type, parameters)
    runs = _count(parameters["runs"]) if parameters.get("runs", "").strip() else 1
    if quantity is None or runs is None:
        return None
    return rate * quantity * runs / _PER


def _count(written: str) -> int | None:
    stripped = written.strip()
    if not (stripped.isascii() and stripped.isdigit() and len(stripped) <= 13):
        return None
    return int(stripped) or None


def _service(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    service = given.get("service", "")
    if not service:
        return {}, ["service is missing"]
    if identifier(service) is None:
        return {}, ["service must be the ID of a service of the panel"]
    return {"service": service}, []


def _checked(known: OrderType, given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    problems = [f"{name} is missing" for name in known.required if name not in given]
    checked: dict[str, str] = {}
    for name, value in given.items():
        check = known.parameters.get(name)
        if name == "service" or (name == "quantity" and known.counted):
            continue
        if check is None:
            problems.append(_unknown(name, known))
            continue
        try:
            checked[name] = check(value)
        except ValueError as error:
            problems.append(f"{name} {error}")
    return checked, problems + _disagreements(known, given, checked)


def _unknown(name: str, known: OrderType) -> str:
    suggestion = did_you_mean(name, known.parameters)
    shown = safe_text(name, 64)
    return f"{shown} is no parameter of it" + (f". {suggestion}" if suggestion else "")


def _disagreements(known: OrderType, given: Mapping[str, str], checked: Mapping[str, str]) -> list[str]:
    """What is wrong between parameters that are right by themselves."""
    problems = []
    present = [name for name in known.together if name in given]
    if present and len(present) < len(known.together):
        problems.append(f"{' and '.join(known.together)} are given together or not at all")
    if known.counted in checked and "quantity" in given:
        count = len(lines(checked[known.counted]).splitlines())
        if given["quantity"] != str(count):
            problems.append(f"quantity must be the number of {known.counted}, {count}, or be left out")
    if "min" in checked and "max" in checked and int(checked["min"]) > int(checked["max"]):
        problems.append("min must not be above max")
    wanted = {"1": "google_keyword", "2": "referring_url"}.get(checked.get("type_of_traffic", ""))
    if wanted is not None and wanted not in given:
        problems.append(f"{wanted} is missing: type_of_traffic {checked['type_of_traffic']} needs it")
    return problems


def _passed_through(given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    problems = []
    for name, value in given.items():
        shown = safe_text(name, 64)
        if name.casefold() in _RESERVED:
            problems.append(f"{shown} is set by smm-rules itself")
        elif not _NAME.fullmatch(name):
            problems.append(f"{shown} is no name of a parameter")
        elif len(value) > _LONGEST_UNKNOWN:
            problems.append(f"{shown} must not be longer than {_LONGEST_UNKNOWN} characters")
    return {name: value for name, value in given.items() if name != "service"}, problems
