"""What is counted and listed for who looks at the whole: the status page and its metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from smm_rules.engine.firing import Firing
from smm_rules.facts import Entity, Facts
from smm_rules.ledger.records import IntentState
from smm_rules.rules.model import StepKind


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """How often a rule fired since the instant asked for, and when it last did as far as is kept."""

    fired: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class KeptFiring:
    """A firing with the ledger's number for it, by which the next page is asked for."""

    id: int
    firing: Firing


@dataclass(frozen=True, slots=True)
class CountedAction:
    """An action as guards count it. `reserved` is None for what costs nothing or has no known price."""

    rule: str
    panel: str
    kind: StepKind
    state: IntentState
    reserved: Decimal | None
    currency: str | None
    claimed_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptChange:
    """A service as it was from `at` on, and before: None when it was `new` then, or that isn't kept."""

    service: Entity
    at: datetime
    before: Facts | None
    after: Facts
    new: bool
