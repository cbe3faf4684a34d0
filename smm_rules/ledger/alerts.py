"""Alerts, silences and what keeps messages back, as plain frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from smm_rules.facts import Entity
from smm_rules.ledger.records import MessageState


class AlertState(StrEnum):
    """firing → acknowledged → resolved, or firing → resolved. Nothing comes after resolved."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


#: The states of an alert that goes on.
OPEN = (AlertState.FIRING, AlertState.ACKNOWLEDGED)


@dataclass(frozen=True, slots=True)
class Labels:
    """What an alert is matched by. `kind` is the entity's kind, `entity` its ID on the panel."""

    rule: str
    panel: str
    kind: str
    entity: str
    level: str

    def value(self, name: str) -> str:
        """The label of that name."""
        found = getattr(self, name)
        assert isinstance(found, str)
        return found


@dataclass(frozen=True, slots=True)
class Matcher:
    """Which alerts are meant. Empty stands for any; `*` and `?` stand for any text and any character."""

    rule: str = ""
    panel: str = ""
    kind: str = ""
    entity: str = ""
    level: str = ""

    def matches(self, labels: Labels) -> bool:
        return (
            _matches(self.rule, labels.rule)
            and _matches(self.panel, labels.panel)
            and _matches(self.kind, labels.kind)
            and _matches(self.entity, labels.entity)
            and _matches(self.level, labels.level)
        )

    @property
    def given(self) -> dict[str, str]:
        """What it asks for, by the label's name."""
        named = {
            "rule": self.rule,
            "panel": self.panel,
            "kind": self.kind,
            "entity": self.entity,
            "level": self.level,
        }
        return {name: pattern for name, pattern in named.items() if pattern}

    def __str__(self) -> str:
        return ", ".join(f"{name} {pattern}" for name, pattern in self.given.items()) or "everything"


def _matches(pattern: str, value: str) -> bool:
    return not pattern or pattern == value or fnmatchcase(value, pattern)


@dataclass(frozen=True, slots=True)
class Alert:
    """A rule's notifying firing about one entity. `level` is that of its first message."""

    id: int
    key: str
    rule: str
    entity: Entity
    episode: datetime
    level: str
    state: AlertState
    fired_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_why: str = ""
    resolved_at: datetime | None = None

    @property
    def labels(self) -> Labels:
        return Labels(self.rule, self.entity.panel, self.entity.kind.value, self.entity.id, self.level)

    @property
    def is_open(self) -> bool:
        """Whether it goes on: what it told of hasn't ended."""
        return self.state is not AlertState.RESOLVED


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """A message of an alert, in short."""

    id: int
    channel: str
    telling: str
    state: MessageState
    why: str
    attempts: int

    @property
    def reached(self) -> bool:
        """Whether the channel has it, or couldn't be given it: it wasn't kept back."""
        return self.state in (MessageState.DELIVERED, MessageState.DEAD) or (
            self.state is MessageState.PENDING and self.attempts > 0
        )


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that are kept back until a time."""

    id: int
    matcher: Matcher
    reason: str
    by: str
    since: datetime
    until: datetime
    ended_at: datetime | None = None
    ended_by: str = ""

    def active(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.until


@dataclass(frozen=True, slots=True)
class GroupState:
    """A group of messages: since when one has been waiting, and when some were last sent; None for never."""

    opened_at: datetime | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlertQuestion:
    """What is to be known before messages are sent.

    `keys` are those of their alerts; `inhibitors` the rules whose open alerts keep others back, None for all
    rules; `groups` the groups' names; `rates` how many deliveries since when count, by channel.
    """

    keys: tuple[str, ...] = ()
    inhibitors: tuple[str, ...] | None = ()
    groups: tuple[str, ...] = ()
    rates: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertStanding:
    """The answer: alerts and their messages by the alerts' keys, open alerts that may keep others back, the
    silences in force, groups by name, and the newest deliveries by channel, the newest first."""

    alerts: Mapping[str, Alert] = field(default_factory=dict)
    messages: Mapping[str, tuple[AlertMessage, ...]] = field(default_factory=dict)
    inhibitors: tuple[Alert, ...] = ()
    silences: tuple[Silence, ...] = ()
    groups: Mapping[str, GroupState] = field(default_factory=dict)
    deliveries: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KeptBack:
    """A message that isn't sent now: it waits until a time, or for good where that is None.

    What waits for a `silence` that was ended meanwhile is judged again at once.
    """

    message_id: int
    why: str
    until: datetime | None
    group: str = ""
    silence: int | None = None


@dataclass(frozen=True, slots=True)
class SentAs:
    """How messages were sent: in what group, and under which key where several were one message."""

    why: str = "sent"
    group: str = ""
    key: str = ""
