"""When alerts are kept back, and how the messages of a channel are put together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, get_args
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from smm_rules.config.inhibition import Inhibition, circular
from smm_rules.config.statement import TimeOfDay, TimeZone
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
from smm_rules.facts import format_duration, parse_duration

Label = Literal["rule", "panel", "kind", "entity", "level"]
Level = Literal["debug", "info", "warning", "error"]
_Kind = Literal["order", "refill", "balance", "service", "panel"]
_Labels = Annotated[tuple[Label, ...], one_or_many(Label), Field(strict=False, min_length=1)]
_Names = Annotated[tuple[Slug, ...], one_or_many(Slug), Field(strict=False, min_length=1)]
_SECOND = timedelta(seconds=1)

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RATE = re.compile(r"\s*([1-9]\d{0,5})\s*/\s*(\S+)\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` messages within `per`."""

    count: int
    per: timedelta

    def __str__(self) -> str:
        return f"{self.count}/{format_duration(self.per)}"


def _rate(value: Any) -> Rate:
    if isinstance(value, Rate):
        return value
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        try:
            per = parse_duration(found[2])
        except ValueError:
            per = timedelta()
        if per >= _SECOND:
            return Rate(int(found[1]), per)
    return refuse(f"must be a number of messages by a time, like 20/1h, not {written(value)}")


def _days(value: Any) -> frozenset[int]:
    if isinstance(value, frozenset):
        return value
    parts = value if isinstance(value, list) else str(value).split(",")
    found: set[int] = set()
    for part in parts:
        first, _, last = str(part).strip().lower().partition("-")
        first, last = first.strip(), (last or first).strip()
        if first not in _DAYS or last not in _DAYS:
            refuse(f"must be days like mon-fri or sat, sun, not {written(part)}")
        start, end = _DAYS.index(first), _DAYS.index(last)
        found |= {(start + step) % 7 for step in range((end - start) % 7 + 1)}
    return frozenset(found)


def _cron(value: str) -> str:
    try:
        next(CronSim(value, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        refuse(f"isn't a cron expression: {str(error).lower()}", 'Write for example "0 3 * * sun"')
    except StopIteration:
        refuse("names a time that never comes")
    return value


Days = Annotated[
    frozenset[int],
    BeforeValidator(_days),
    PlainSerializer(lambda days: [_DAYS[day] for day in sorted(days)]),
    WithJsonSchema(
        {"type": ["string", "array"], "items": {"type": "string"}, "examples": ["mon-fri", "sat, sun"]}
    ),
]
RateLimit = Annotated[
    Rate,
    BeforeValidator(_rate),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d+\s*/\s*(\d+[smhdw])+\s*$", "examples": ["20/1h"]}),
]
Cron = Annotated[FilledText, AfterValidator(_cron)]


class GroupSettings(Settings):
    """Messages of alerts that agree in the labels `by` go out together: the first of them waits `wait` for
    others, and what comes later waits until `interval` has passed since the last."""

    by: _Labels = ("rule", "panel")
    wait: Duration = timedelta(seconds=30)
    interval: Duration = timedelta(minutes=5)


class AlertMatcher(Settings):
    """Which alerts are meant: all the labels given must agree. `*` stands for any text."""

    rule: FilledText | None = None
    panel: FilledText | None = None
    kind: _Kind | None = None
    entity: FilledText | None = None
    level: Level | None = None

    @model_validator(mode="after")
    def _something(self) -> AlertMatcher:
        if not self.given:
            refuse(f"must name one of: {', '.join(get_args(Label))}", "Write for example {rule: panel-down}")
        return self

    @property
    def given(self) -> dict[str, str]:
        """The labels asked for, by name."""
        return {name: str(value) for name, value in self if value is not None}


class InhibitSettings(Settings):
    """While an alert matching `if` is open, those that match `silences` and agree with it in `equal` wait."""

    hints: ClassVar[Mapping[str, str]] = {"when": 'Did you mean "if"?', "then": 'Did you mean "silences"?'}

    source: AlertMatcher = Field(alias="if")
    silences: AlertMatcher
    equal: Annotated[tuple[Label, ...], one_or_many(Label), Field(strict=False)] = ("panel",)

    @property
    def patterns(self) -> Inhibition:
        """It as patterns of labels."""
        return Inhibition(self.source.given, self.silences.given, frozenset(self.equal))


class QuietHours(Settings):
    """Hours in which messages to these channels (all when empty) wait, but those from `except_level` up.

    They begin at `from` on each of `days` and last until `to`, on the next day where that is earlier.
    """

    channels: _Names | tuple[()] = ()
    days: Days = frozenset(range(7))
    begins: TimeOfDay = Field(alias="from")
    ends: TimeOfDay = Field(alias="to")
    time_zone: TimeZone = ZoneInfo("UTC")
    except_level: Level | None = "error"

    @model_validator(mode="after")
    def _some_time(self) -> QuietHours:
        if self.begins == self.ends:
            refuse("`from` and `to` are the same time", 'For the whole day write from: "00:00", to: "23:59"')
        return self

    @property
    def passes_midnight(self) -> bool:
        """Whether they end on the day after the one they began on."""
        return self.ends < self.begins

    @property
    def written(self) -> str:
        """`22:00 to 07:00 Europe/Berlin`."""
        return f"{_clock(self.begins)} to {_clock(self.ends)} {self.time_zone.key}"


def _clock(value: time) -> str:
    return f"{value:%H:%M}"


class Maintenance(Settings):
    """A window that opens again and again: alerts of this panel (of all when left out) wait for its end."""

    hints: ClassVar[Mapping[str, str]] = {"cron": 'Did you mean "schedule"?'}

    panel: Slug | None = None
    schedule: Cron
    lasting: Annotated[Duration, at_least(timedelta(minutes=1))] = Field(alias="for")
    time_zone: TimeZone = ZoneInfo("UTC")


class AlertSettings(Settings):
    """What keeps alerts back. `outages` says whether those of a panel's orders and refills wait while the
    panel can't be read."""

    inhibit: Annotated[tuple[InhibitSettings, ...], Field(strict=False)] = ()
    quiet_hours: Annotated[tuple[QuietHours, ...], Field(strict=False)] = ()
    maintenance: Annotated[tuple[Maintenance, ...], Field(strict=False)] = ()
    outages: bool = True

    @cached_property
    def circular(self) -> frozenset[int]:
        """The inhibitions, by their number, by which alerts could come to keep each other back.

        By these only an alert that fired earlier keeps another back, so that the first is always told.
        """
        return circular([one.patterns for one in self.inhibit])
