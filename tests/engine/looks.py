"""Scripted looks at an order: what the rules' conditions say is written into the facts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from smm_rules.engine.evaluate import Evaluation, evaluate
from smm_rules.engine.memory import BLANK, Memory, Reason
from smm_rules.facts import UNKNOWN, Entity, EntityKind, Snapshot, Value
from smm_rules.rules.model import Rule, Step, StepKind

START = datetime(2025, 3, 1, 12, tzinfo=UTC)
ORDER = Entity(EntityKind.ORDER, "acme", "23501")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

NOTIFY = Step(StepKind.NOTIFY, {"channel": "ops", "message": "Order {{ order.id }}"})
REFILL = Step(StepKind.REFILL)


@dataclass(frozen=True)
class Scripted:
    """A condition that is whatever the fact of its name says: True, False, or unknown."""

    source: str

    def holds(self, facts: Mapping[str, Value], now: datetime) -> bool | None:
        value = facts[self.source]
        return value if isinstance(value, bool) else None


WHEN, UNTIL = Scripted("when"), Scripted("until")
RULE = Rule("stuck", EntityKind.ORDER, WHEN, (REFILL, NOTIFY), version="1")


@dataclass(frozen=True)
class Look:
    """A look `after` the one before, at which the conditions say `when` and `until`."""

    after: timedelta
    when: bool | None
    until: bool | None = False


def snapshot(
    when: bool | None,
    now: datetime = START,
    previous_at: datetime | None = START - MINUTE,
    until: bool | None = False,
    imported: bool = False,
) -> Snapshot:
    facts: dict[str, Value] = {
        "id": ORDER.id,
        "placed_at": START - HOUR,
        "remains": UNKNOWN,
        "when": UNKNOWN if when is None else when,
        "until": UNKNOWN if until is None else until,
    }
    return Snapshot(ORDER, facts, now, previous_at, ORDER, imported)


@dataclass(frozen=True)
class Seen:
    """One look of a played history: when it was, what was seen, and what it came to."""

    now: datetime
    look: Look
    before: Memory
    evaluation: Evaluation


def play(
    rule: Rule, looks: Iterable[Look], gap: timedelta = HOUR, imported: bool = False, stored: bool = False
) -> list[Seen]:
    """Every look of a history in turn, the memory kept in the process or (`stored`) written and read back."""
    now, previous_at, memory = START, None, BLANK
    seen = []
    for look in looks:
        now += look.after
        taken = snapshot(look.when, now, previous_at, look.until, imported)
        evaluation = evaluate(rule, taken, memory, now, gap)
        seen.append(Seen(now, look, memory, evaluation))
        memory = read_back(evaluation.memory) if stored else evaluation.memory
        previous_at = now
    return seen


def reasons(rule: Rule, looks: Iterable[Look], **options: object) -> list[Reason]:
    return [seen.evaluation.reason for seen in play(rule, looks, **options)]  # type: ignore[arg-type]


def read_back(memory: Memory) -> Memory:
    """The memory as it comes out of a store that only knows text and numbers."""
    text = json.dumps(asdict(memory), default=datetime.isoformat)
    fields = json.loads(text)
    for name in ("true_since", "unknown_since", "fired_at", "last_fired", "reminded_at"):
        fields[name] = fields[name] and datetime.fromisoformat(fields[name])
    fields["stopped_by"] = fields["stopped_by"] and Reason(fields["stopped_by"])
    return Memory(**fields)


def with_hold(hold: timedelta, rule: Rule = RULE) -> Rule:
    return replace(rule, hold=hold)
