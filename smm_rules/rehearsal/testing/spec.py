"""The shape of a test as written: one model for each mapping, facts by their types in `facts.FIELDS`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import BeforeValidator, Field, create_model, model_validator

from smm_rules.config.guards import GuardSettings, PanelGuards
from smm_rules.document.types import (
    Duration,
    FilledText,
    Settings,
    Slug,
    at_least,
    one_or_many,
    refuse,
    written,
)
from smm_rules.facts import FIELDS, EntityKind, FactType

#: Facts of type number that are shares.
_SHARES = frozenset({"progress", "rate_increase"})


def _identifier(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        refuse(f"must be a number, not {written(value)}")
    return Decimal(value)


def _instant(value: Any) -> Any:
    if isinstance(value, datetime):
        return value
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        refuse(f"must be a time like 2026-03-01T12:00:00Z, not {written(value)}")
    return found.replace(tzinfo=found.tzinfo or UTC)


Identifier = Annotated[FilledText, BeforeValidator(_identifier)]
Number = Annotated[Decimal, BeforeValidator(_number)]
Instant = Annotated[datetime, BeforeValidator(_instant)]

_TYPES: dict[FactType, Any] = {
    FactType.BOOLEAN: bool,
    FactType.NUMBER: int,
    FactType.MONEY: Number,
    FactType.TEXT: str,
    FactType.ORDER_STATUS: FilledText,
    FactType.REFILL_STATUS: FilledText,
    FactType.DURATION: Duration,
    FactType.TIME: Instant,
}


def _fact_fields(kind: EntityKind) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, fact in FIELDS[kind].items():
        annotation = Identifier if name == "id" else Number if name in _SHARES else _TYPES[fact.type]
        fields[name] = (annotation | None, None)
    return fields


def _parameter(value: Any) -> Any:
    if value is None or isinstance(value, dict | list):
        refuse(f"must be text or a number, not {written(value)}")
    return str(int(value)) if isinstance(value, bool) else str(value)


Parameter = Annotated[str, BeforeValidator(_parameter)]


class _OfAnOrder(Settings):
    """What a test says of an order besides its facts."""

    noun: ClassVar[str] = "fact of an order"
    hints: ClassVar[Mapping[str, str]] = {"order_id": 'Did you mean "id"?'}

    panel: Slug | None = None
    service: Identifier | None = None
    imported: bool = False
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    rate: Number | None = None


class _OfARefill(Settings):
    noun: ClassVar[str] = "fact of a refill"

    panel: Slug | None = None
    order: Identifier | None = None


class _OfABalance(Settings):
    noun: ClassVar[str] = "fact of a balance"
    hints: ClassVar[Mapping[str, str]] = {"balance": 'Did you mean "amount"?'}

    panel: Slug | None = None


class _OfAService(Settings):
    noun: ClassVar[str] = "fact of a service"
    hints: ClassVar[Mapping[str, str]] = {"price": 'Did you mean "rate"?'}

    panel: Slug | None = None


class _OfAPanel(Settings):
    noun: ClassVar[str] = "fact of a panel"


_EXTRAS: dict[EntityKind, type[Settings]] = {
    EntityKind.ORDER: _OfAnOrder,
    EntityKind.REFILL: _OfARefill,
    EntityKind.BALANCE: _OfABalance,
    EntityKind.SERVICE: _OfAService,
    EntityKind.PANEL: _OfAPanel,
}


def _thing_model(kind: EntityKind) -> type[Settings]:
    name = f"{kind.capitalize()}Given"
    return cast("type[Settings]", create_model(name, __base__=_EXTRAS[kind], **_fact_fields(kind)))


#: What may be said of one thing of each kind.
THING_MODELS: dict[EntityKind, type[Settings]] = {kind: _thing_model(kind) for kind in EntityKind}


class GivenOutline(Settings):
    """`given`, or what `change` has at one instant: things by kind, each one or a list."""

    hints: ClassVar[Mapping[str, str]] = {
        "orders": "Write `order:` with a list",
        "refills": "Write `refill:` with a list",
        "services": "Write `service:` with a list",
        "catalogue": 'Did you mean "service"?',
    }

    order: Any = None
    refill: Any = None
    balance: Any = None
    service: Any = None
    panel: Any = None

    @model_validator(mode="after")
    def _something(self) -> GivenOutline:
        if not self.model_fields_set:
            refuse("must say something of an order, refill, balance, service or panel")
        return self


class AnswersOutline(Settings):
    """`answers`: what the panel says to each kind of action, one answer or a list for one call each."""

    hints: ClassVar[Mapping[str, str]] = {"add": 'Did you mean "reorder"?'}

    refill: Any = None
    reorder: Any = None
    cancel: Any = None


class AnswerSpec(Settings):
    """One answer that says more than a word."""

    hints: ClassVar[Mapping[str, str]] = {
        "error": 'Did you mean "refused"?',
        "rejected": 'Did you mean "refused"?',
    }

    refused: FilledText | None = None
    order: Identifier | None = None
    refill: Identifier | None = None
    cancel: Identifier | None = None


class GuardsGiven(GuardSettings):
    """`guards`: as in the configuration, with those of panels below `panels`."""

    hints: ClassVar[Mapping[str, str]] = {
        "keep_balance": "Write it below the panel: guards: {panels: {main: {keep_balance: 10.00}}}"
    }

    panels: dict[Slug, PanelGuards] = Field(default_factory=dict)


class TestOutline(Settings):
    """A test's own keys."""

    __test__ = False  # not one for pytest

    hints: ClassVar[Mapping[str, str]] = {
        "happens": 'Did you mean "change"?',
        "changes": 'Did you mean "change"?',
        "then": 'Did you mean "at"?',
        "expect": 'Did you mean "at"?',
        "when": 'Did you mean "given"?',
        "panel": "Write it below `given:`",
        "order": "Write it below `given:`",
    }

    name: FilledText
    given: Any
    at: Annotated[dict[str, Any], Field(min_length=1)]
    change: dict[str, Any] = Field(default_factory=dict)
    answers: Any = None
    rules: Annotated[tuple[Slug, ...], one_or_many(Slug), Field(strict=False, min_length=1)] = ()
    every: Annotated[Duration, at_least(timedelta(seconds=1))] = timedelta(minutes=5)
    guards: Any = None


class FiringSpec(Settings):
    """What is expected of a firing, in full."""

    steps: Any = None
    order: Identifier | None = None
    refill: Identifier | None = None
    service: Identifier | None = None
    panel: Identifier | None = None
    occasion: Literal["fired", "reminded", "resolved"] | None = None


_Outcome = Literal["confirmed", "rejected", "unknown", "held", "not_sent", "planned"]


class _ExpectedAction(Settings):
    noun: ClassVar[str] = "parameter"
    panel: Identifier | None = None
    outcome: _Outcome | None = None
    reason: FilledText | None = None


class ExpectedExisting(_ExpectedAction):
    """What is expected of a refill or a cancel."""

    order: Identifier | None = None


class ExpectedReorder(_ExpectedAction):
    """What is expected of a reorder: service, link, quantity, and any other parameter of the call."""

    max_rate_increase: Number | None = None
    service: Identifier | None = None
    link: FilledText | None = None
    quantity: Identifier | None = None
    parameters: dict[str, Parameter] = Field(default_factory=dict)


class ExpectedNotify(Settings):
    channel: Slug | None = None
    title: str | None = None
    message: str | None = None


class ExpectedWebhook(Settings):
    channel: Slug | None = None
    data: dict[str, Any] | None = None


class ExpectedLog(Settings):
    level: Literal["debug", "info", "warning", "error"] | None = None
    message: str | None = None
