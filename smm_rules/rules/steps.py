"""The steps of a rule as written, one model a kind, and their plain form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from smm_rules.document.types import (
    Duration,
    FilledText,
    Percentage,
    Settings,
    Slug,
    at_least,
    exactly_one,
    one_or_many,
    refuse,
    written,
)
from smm_rules.rules.model import ACTING, Step, StepKind

_SECRETS = "Addresses and secrets live in the configuration: name its channel here"
_MARKUP = re.compile(r"\{[{%#]")
#: Parameters of a reorder that have a key of their own, and those that belong to the client.
_OWN_KEYS = ("service", "link", "quantity")
_RESERVED = ("key", "action")
_KEPT_BY_US = ("reference_rate",)


def is_templated(text: str) -> bool:
    """Whether a text has template markup in it."""
    return _MARKUP.search(text) is not None


def _parameter(value: Any) -> Any:
    """A parameter of an order: text, a number or a flag, or a list of these (one a line)."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list) and value:
        return [_parameter(entry) for entry in value]
    if value is None or isinstance(value, list | dict):
        refuse(f"must be text or a number, not {written(value)}")
    return value


def _quantity(value: Any) -> Any:
    number = isinstance(value, int) and not isinstance(value, bool)
    text = str(value) if isinstance(value, str) or number else ""
    if is_templated(text):
        return text
    if not re.fullmatch(r"[1-9][0-9]{0,11}", text, re.ASCII):
        refuse(
            f"must be a whole number above 0 or a template, not {written(value)}",
            'Write for example "{{ order.remains }}"',
        )
    return text


def _service(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _data(value: Any) -> Any:
    """Nested data of a webhook: money and shares travel as text."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return {name: _data(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_data(entry) for entry in value]
    return value


def _parameter_name(name: str) -> str:
    if name in _RESERVED:
        refuse(f"`{name}` can't be among the `parameters`: the panel's configuration has it", "Leave it out")
    if name in _KEPT_BY_US:
        refuse(f"`{name}` can't be among the `parameters`: smm-rules itself notes it", "Leave it out")
    if name in _OWN_KEYS:
        refuse(f"`{name}` stands beside `parameters`, not in it", f"Write {name}: one level up")
    return name


_PLAIN = {"type": ["string", "number", "boolean", "array"]}
ParameterName = Annotated[str, AfterValidator(_parameter_name)]
Parameter = Annotated[Any, BeforeValidator(_parameter), WithJsonSchema(_PLAIN)]
Data = Annotated[Any, BeforeValidator(_data), WithJsonSchema({})]


class RefillSpec(Settings):
    """Ask the panel to refill the order."""

    hints: ClassVar[Mapping[str, str]] = {"order": "Leave it out: the order is the one the rule looks at"}


class CancelSpec(Settings):
    """Ask the panel to cancel the order."""

    hints: ClassVar[Mapping[str, str]] = RefillSpec.hints


class ReorderSpec(Settings):
    """Order again what the order was placed with, with what is given here instead.

    `panel` is `same`, another panel's name, or `cheapest` or `next` of those with an equal service by the
    mapping. `max_rate_increase` refuses a service that got dearer, and one of another panel that is dearer.
    """

    hints: ClassVar[Mapping[str, str]] = {
        "comments": "Write it below `parameters:`",
        "runs": "Write it below `parameters:`",
        "interval": "Write it below `parameters:`",
        "usernames": "Write it below `parameters:`",
        "username": "Write it below `parameters:`",
    }

    panel: FilledText = "same"
    service: Annotated[FilledText, BeforeValidator(_service)] | None = None
    quantity: Annotated[str, BeforeValidator(_quantity)] | None = None
    link: FilledText | None = None
    parameters: dict[ParameterName, Parameter] = Field(default_factory=dict)
    max_rate_increase: Percentage | None = None


class EscalateSpec(Settings):
    """Who is told when nobody has acknowledged the alert after a time."""

    after: Annotated[Duration, at_least(timedelta(minutes=1))]
    channel: Slug


Escalation = Annotated[tuple[EscalateSpec, ...], one_or_many(EscalateSpec), Field(strict=False, min_length=1)]


class NotifySpec(Settings):
    """Send a message to a channel. `escalate` is who else is told while nobody acknowledges the alert."""

    hints: ClassVar[Mapping[str, str]] = {
        "url": _SECRETS,
        "text": 'Did you mean "message"?',
        "body": 'Did you mean "message"?',
        "to": 'Did you mean "channel"?',
        "subject": 'Did you mean "title"?',
    }

    channel: Slug
    message: FilledText
    title: FilledText | None = None
    level: Literal["debug", "info", "warning", "error"] | None = None
    escalate: Escalation | None = None


class WebhookSpec(Settings):
    """Post data to a webhook channel; without `data` the facts are posted."""

    hints: ClassVar[Mapping[str, str]] = {
        "url": _SECRETS,
        "secret": _SECRETS,
        "headers": _SECRETS,
        "body": 'Did you mean "data"?',
        "payload": 'Did you mean "data"?',
        "json": 'Did you mean "data"?',
    }

    channel: Slug
    data: dict[str, Data] | None = None


class LogSpec(Settings):
    """Write a line to the daemon's log."""

    message: FilledText
    level: Literal["debug", "info", "warning", "error"] = "info"


def _nothing_is_empty(value: Any) -> Any:
    return {} if value is None else value


#: The steps a rule may have, in the order they are told in.
_KINDS = ("refill", "reorder", "cancel", "notify", "webhook", "log")
_NoParameters = BeforeValidator(_nothing_is_empty)


class StepSpec(Settings):
    """One step: a mapping of one key, or a bare word for a step without parameters."""

    hints: ClassVar[Mapping[str, str]] = {
        "email": "Mail is a channel of the configuration: write notify: {channel: NAME, message: …}",
        "order": 'Did you mean "reorder"?',
        "send": 'Did you mean "notify"?',
        "alert": 'Did you mean "notify"?',
    }

    noun: ClassVar[str] = "step"

    refill: Annotated[RefillSpec | None, _NoParameters] = None
    reorder: Annotated[ReorderSpec | None, _NoParameters] = None
    cancel: Annotated[CancelSpec | None, _NoParameters] = None
    notify: Annotated[NotifySpec | None, _NoParameters] = None
    webhook: Annotated[WebhookSpec | None, _NoParameters] = None
    log: Annotated[LogSpec | None, _NoParameters] = None

    @model_validator(mode="before")
    @classmethod
    def _bare_word(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {value: None}
        if isinstance(value, dict):
            _refuse_lost_indentation(value)
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> StepSpec:
        exactly_one(_KINDS, self.model_fields_set, "notify: {channel: ops, message: …}")
        return self

    @cached_property
    def kind(self) -> StepKind:
        """What the step does."""
        return StepKind(next(iter(self.model_fields_set)))

    @cached_property
    def acts(self) -> bool:
        """Whether the step changes something on a panel."""
        return self.kind in ACTING

    @property
    def parameters(self) -> Settings:
        """The model of the step's own parameters."""
        found = getattr(self, self.kind.value)
        assert isinstance(found, Settings)
        return found

    def step(self) -> Step:
        """The step in the plain form that the engine and the ledger keep."""
        return Step(self.kind, dict(self.plain))

    @cached_property
    def plain(self) -> tuple[tuple[str, object], ...]:
        """The step's own parameters that are given, by name, in the plain form of `step`."""
        return tuple(
            (name, _plain(value))
            for name, value in self.parameters
            if value is not None and (value or name != "parameters")
        )


def _plain(value: Any) -> object:
    """Plain data, as the ledger keeps it: money as text, durations in seconds."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, tuple) and value and isinstance(value[0], EscalateSpec):
        return escalation(value)
    return value


def escalation(specs: Iterable[EscalateSpec]) -> list[dict[str, object]]:
    """The plain form of `escalate`: seconds and channels."""
    return [{"after": int(spec.after.total_seconds()), "channel": spec.channel} for spec in specs]


def _refuse_lost_indentation(value: Mapping[str, Any]) -> None:
    """`notify:` with its keys below it in the same column: YAML reads them as keys of the step."""
    empty = [kind for kind in _KINDS if kind in value and value[kind] is None]
    others = set(value) - set(_KINDS)
    if len(empty) == 1 and others and others <= _parameter_names(empty[0]):
        names = ", ".join(sorted(others))
        refuse(
            f"The keys of `{empty[0]}` ({names}) must stand further right than it", "Indent them by 2 more"
        )


def _parameter_names(kind: str) -> set[str]:
    specs: dict[str, type[Settings]] = {
        "reorder": ReorderSpec,
        "notify": NotifySpec,
        "webhook": WebhookSpec,
        "log": LogSpec,
    }
    return set(specs[kind].model_fields) if kind in specs else set()
