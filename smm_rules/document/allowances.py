"""`20.00/day`, `100/hour`: money and counts per unit, as rules and the configuration write them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from smm_rules.document.types import as_list, refuse, written
from smm_rules.facts.allowance import PERIODS, Allowance, Per

_WRITTEN = re.compile(r"(\d{1,15}(?:\.\d{1,12})?)\s*/\s*([a-z]+)", re.ASCII)
_MONEY = re.compile(r"\d{1,15}(?:\.\d{1,12})?", re.ASCII)
_MONEY_EXAMPLE, _COUNT_EXAMPLE = "20.00/day", "100/hour"


def _spend(value: Any) -> tuple[Allowance, ...]:
    return _each_once([_allowance(entry, frozenset(Per), _MONEY_EXAMPLE) for entry in as_list(value)])


def _counts(value: Any) -> tuple[Allowance, ...]:
    allowances = [_allowance(entry, PERIODS, _COUNT_EXAMPLE) for entry in as_list(value)]
    for allowance in allowances:
        if allowance.amount != allowance.amount.to_integral_value():
            refuse(
                f'must be a whole number per unit, not "{allowance}"', f"Write for example {_COUNT_EXAMPLE}"
            )
    return _each_once(allowances)


def _allowance(value: Any, units: frozenset[Per], example: str) -> Allowance:
    if isinstance(value, Allowance):
        return value
    match = _WRITTEN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        number = isinstance(value, int | Decimal) and not isinstance(value, bool)
        suggestion = f"Say per what: {value}/day" if number else f"Write for example {example}"
        refuse(f"must be an amount per unit like {example}, not {written(value)}", suggestion)
    if match[2] not in units:
        known = ", ".join(unit for unit in Per if unit in units)
        refuse(f'has the unit "{match[2]}", which is none', f"Units here: {known}")
    return Allowance(Decimal(match[1]), Per(match[2]))


def _each_once(allowances: list[Allowance]) -> tuple[Allowance, ...]:
    units = [allowance.per for allowance in allowances]
    twice = next((unit for unit in units if units.count(unit) > 1), None)
    if not allowances:
        refuse("must not be empty", f"Write for example {_MONEY_EXAMPLE}, or leave it out")
    if twice is not None:
        refuse(f'has two amounts per "{twice}"', "Keep the smaller one")
    return tuple(allowances)


def _money(value: Any) -> Decimal:  # `refuse` raises
    number = isinstance(value, int | Decimal) and not isinstance(value, bool) and value >= 0
    text = value.strip() if isinstance(value, str) else ""
    if number or _MONEY.fullmatch(text):
        return Decimal(text or value)
    return refuse(f"must be an amount of money like 10.00, in the panel's own currency, not {written(value)}")


def _schema(units: list[str], number: str, example: str) -> WithJsonSchema:
    one = {"type": "string", "pattern": rf"^\s*{number}\s*/\s*({'|'.join(units)})\s*$", "examples": [example]}
    return WithJsonSchema({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]})


#: Money per unit: `20.00/day`, or a list such as `[5.00/order, 300.00/month]`.
Spend = Annotated[
    tuple[Allowance, ...],
    BeforeValidator(_spend),
    _schema(list(Per), r"\d+(\.\d+)?", _MONEY_EXAMPLE),
]
#: How many per unit of time: `100/hour`, or a list.
Counts = Annotated[
    tuple[Allowance, ...],
    BeforeValidator(_counts),
    _schema([unit for unit in Per if unit in PERIODS], r"\d+", _COUNT_EXAMPLE),
]
#: An amount of money, never negative.
Money = Annotated[
    Decimal,
    BeforeValidator(_money),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*$"}]}
    ),
]
