"""How reminders grow apart, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from smm_rules.engine.episode import fired, reminded, reminder_due_at
from smm_rules.engine.memory import Memory
from smm_rules.facts import EntityKind, Value
from smm_rules.rules.model import DOUBLING, Reminding, Rule, Step, StepKind

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Always:
    """A condition that holds."""

    source = "true"

    def holds(self, facts: Mapping[str, Value], now: datetime) -> bool:
        return True


def waits(reminding: Reminding, count: int = 6) -> list[int]:
    """The hours between reminders, from the firing on, as far as there are any."""
    rule = Rule(
        name="low",
        watch=EntityKind.BALANCE,
        when=Always(),
        do=(Step(StepKind.NOTIFY),),
        version="v1",
        remind=HOUR,
        reminding=reminding,
    )
    memory, now, found = fired(Memory(true_since=AT), AT), AT, []
    for _ in range(count):
        due = reminder_due_at(rule, memory)
        if due is None:
            break
        found.append((due - now) // HOUR)
        memory, now = reminded(memory, due), due
    return found


@pytest.mark.parametrize(
    ("reminding", "expected"),
    [
        (DOUBLING, [1, 2, 4, 8, 8, 8]),
        (Reminding(1), [1, 1, 1, 1, 1, 1]),
        (Reminding(3), [1, 3, 8, 8, 8, 8]),
        (Reminding(2, 3), [1, 2, 4]),
        (Reminding(8, 1), [1]),
    ],
)
def test_each_waits_longer_than_the_one_before_up_to_a_bound(
    reminding: Reminding, expected: list[int]
) -> None:
    assert waits(reminding) == expected
