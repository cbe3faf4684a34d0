"""What came of rules in a rehearsal: steps told and actions asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from smm_rules.engine.firing import Firing
from smm_rules.engine.memory import Reason
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Intent, Recorded
from smm_rules.polling.decisions import Decided, Look
from smm_rules.rules.model import Rule, StepKind

#: The outcome of a step that tells.
TOLD = "told"


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One step of a firing carried out. `place` is where it stands in its rule, such as `do.0`.

    `outcome` is `told`, or the state of the intent; `reason` and `message` say why it isn't confirmed.
    `details` are the parameters as sent, or the message as rendered. `intent` is the action's.
    """

    firing: Firing
    place: str
    kind: StepKind
    at: datetime
    outcome: str
    details: Mapping[str, object]
    reason: str = ""
    message: str = ""
    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class StoppedFiring:
    """A rule that would have fired and was stopped by a limit."""

    rule: str
    entity: Entity
    at: datetime
    reason: Reason


@dataclass(frozen=True, slots=True)
class Swept:
    """One sweep of a rehearsal, for whoever watches it: looks of one kind at one panel and their outcome."""

    at: datetime
    kind: EntityKind
    panel: str
    looks: Sequence[Look]
    rules: Sequence[Rule]
    decided: Decided
    recorded: Recorded


@dataclass(slots=True)
class Record:
    """Everything that came of the rules, in the order it came."""

    fired: list[Firing] = field(default_factory=list)
    steps: list[StepTaken] = field(default_factory=list)
    stopped: list[StoppedFiring] = field(default_factory=list)
