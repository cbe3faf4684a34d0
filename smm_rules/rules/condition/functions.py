"""The functions a condition may call: one table for the checker, the evaluator and the documentation."""

from __future__ import annotations

from dataclasses import dataclass

from smm_rules.facts import FactType

NUMERIC = frozenset({FactType.NUMBER, FactType.MONEY})
STATUSES = frozenset({FactType.ORDER_STATUS, FactType.REFILL_STATUS})
TEXTUAL = STATUSES | {FactType.TEXT}
ORDERED = NUMERIC | {FactType.DURATION, FactType.TIME}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value a function takes: any of `types`."""

    name: str
    types: frozenset[FactType]


@dataclass(frozen=True, slots=True)
class Function:
    """One function. `gives` is its result's type, None for the type of what it is given.

    With `many`, the last parameter may be given again and again. All values of a function without a type
    of its own must be of one type; numbers and money mix to money.
    """

    name: str
    takes: tuple[Parameter, ...]
    gives: FactType | None
    meaning: str
    example: str
    many: bool = False


#: A fact itself, not its value: what `known` takes.
FACT = Parameter("fact", frozenset())

_TABLE = (
    Function(
        "abs",
        (Parameter("value", NUMERIC | {FactType.DURATION}),),
        None,
        "the value without its sign",
        "abs(remains) > 10",
    ),
    Function(
        "min",
        (Parameter("value", ORDERED), Parameter("other", ORDERED)),
        None,
        "the least of two or more values",
        "min(remains, service.max) > 100",
        many=True,
    ),
    Function(
        "max",
        (Parameter("value", ORDERED), Parameter("other", ORDERED)),
        None,
        "the greatest of two or more values",
        "max(age, tracked_for) > 3d",
        many=True,
    ),
    Function(
        "round",
        (Parameter("value", NUMERIC),),
        None,
        "the nearest whole number, halves away from zero",
        "round(progress * 100) >= 95",
    ),
    Function(
        "contains",
        (Parameter("text", TEXTUAL), Parameter("part", TEXTUAL)),
        FactType.BOOLEAN,
        "whether the text holds the part, capitals told from small letters",
        'contains(link, "instagram.com")',
    ),
    Function(
        "starts_with",
        (Parameter("text", TEXTUAL), Parameter("beginning", TEXTUAL)),
        FactType.BOOLEAN,
        "whether the text starts so",
        'starts_with(label, "shop-")',
    ),
    Function(
        "ends_with",
        (Parameter("text", TEXTUAL), Parameter("ending", TEXTUAL)),
        FactType.BOOLEAN,
        "whether the text ends so",
        'ends_with(label, "-test")',
    ),
    Function(
        "lower",
        (Parameter("text", TEXTUAL),),
        FactType.TEXT,
        "the text in small letters",
        'lower(service.name) == "followers"',
    ),
    Function(
        "known",
        (FACT,),
        FactType.BOOLEAN,
        "whether the fact is known; never unknown itself",
        "known(start_count) and start_count > 1000",
    ),
)

FUNCTIONS: dict[str, Function] = {function.name: function for function in _TABLE}
