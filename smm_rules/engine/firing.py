"""A firing: an episode that reached its hold time, and what it asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from smm_rules.engine.choosing import Way
from smm_rules.facts import Entity, Facts
from smm_rules.rules.model import NO_LIMITS, NO_RULE_GUARDS, Limits, RuleGuards, Step, StepKind


class Occasion(StrEnum):
    """Which moment of an episode a firing belongs to."""

    FIRED = "fired"
    REMINDED = "reminded"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Firing:
    """What one rule asks for about one entity, frozen with the facts it was decided on.

    `episode` is the instant the episode began. `facts` are the known facts of the snapshot, flat and
    dotted as in `Snapshot.facts`, running durations included as they stood at `at`. `ordinal` counts
    reminders from 1 and is 0 otherwise.
    `steps` is the `do`, the notifying part of `do` (reminders) or the `done` of the rule.
    """

    rule: str
    rule_version: str
    entity: Entity
    root: Entity
    episode: datetime
    occasion: Occasion
    ordinal: int
    at: datetime
    facts: Facts
    steps: tuple[Step, ...]
    otherwise: tuple[Step, ...]
    limits: Limits = NO_LIMITS
    guards: RuleGuards = NO_RULE_GUARDS

    @property
    def acts(self) -> bool:
        """Whether any step changes something on a panel."""
        return any(step.acts for step in (*self.steps, *self.otherwise))

    @property
    def key(self) -> str:
        """The one name of this firing: two firings with the same key are the same firing."""
        return f"{self.rule}:{self.entity}:{self.episode.isoformat()}:{self.occasion}:{self.ordinal}"


@dataclass(frozen=True, slots=True)
class Choosing:
    """That the ledger is to choose panel and service when it plans the action, and by which way.

    `after` says what came of the panel that was chosen before, empty at first.
    """

    way: Way
    after: str = ""


@dataclass(frozen=True, slots=True)
class IntentDraft:
    """An action on a panel, rendered and ready to be written to the ledger.

    `step` is the step's place, such as `do.0` or `otherwise.1`. `panel` is where it is to act.
    `parameters` are plain text by name (for a reorder: overrides of the original order's parameters, and
    its bounds such as `max_rate_increase`). `estimate` is the money to reserve, in `currency`, None where
    the action costs nothing or the price isn't known yet.
    `failure` is set when a template of the step failed: such a draft is written as `not_sent` and told to
    the operator, and never sent. `refusal` are the panel's words that led to a step of `otherwise`. With
    `choosing` the panel and its service are chosen when it is planned, once and for all; `panel` is the
    order's own until then.
    """

    step: str
    kind: StepKind
    panel: str
    parameters: dict[str, str]
    estimate: Decimal | None = None
    currency: str | None = None
    failure: str = ""
    refusal: str = ""
    choosing: Choosing | None = None


class Telling(StrEnum):
    """What a message of an alert says: that it began, goes on, is nobody's yet, or is over."""

    FIRED = "fired"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class AlertDraft:
    """The alert a message belongs to: a rule's notifying firing about one entity, named by its episode."""

    rule: str
    entity: Entity
    episode: datetime
    telling: Telling

    @property
    def key(self) -> str:
        """The one name of the alert."""
        return f"{self.rule}:{self.entity}:{self.episode.isoformat()}"


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """A message for the outbox. `dedup_key` is what makes telling it twice impossible.

    `kind` is notify, webhook or log. `channel` names the configured channel of a notify or webhook
    message and is empty for log. `body` is the text, or a webhook's JSON text; `title` may be empty;
    `level` is a log message's. `fallback` is the template's error when plain text stands in for it.
    `page` is the path of the status page that shows more of it, such as `intents/5`; None where none does.
    `alert` is what it tells of, None where that is no rule's alert. It isn't sent before `delay` has passed.
    """

    dedup_key: str
    kind: StepKind
    channel: str
    title: str
    body: str
    level: str = "info"
    fallback: str = ""
    page: str | None = None
    alert: AlertDraft | None = None
    delay: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Continuation:
    """What comes next of a firing: messages to queue now and at most one action to plan.

    The action's settlement decides what comes after it. `finished` says nothing more will come.
    """

    messages: tuple[MessageDraft, ...] = ()
    intent: IntentDraft | None = None
    finished: bool = True
