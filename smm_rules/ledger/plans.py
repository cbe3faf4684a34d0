"""Files of purchases: which of their rows were planned, so that no row is bought twice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from smm_rules.engine.firing import IntentDraft
from smm_rules.ledger.records import LATE_ANSWER, Intent, IntentState

#: What ended without having been sent: its row may be planned again.
NEVER_SENT = frozenset({IntentState.NOT_SENT})
#: What ended without a purchase.
NOTHING_BOUGHT = frozenset({IntentState.NOT_SENT, IntentState.REJECTED, IntentState.DENIED})


class RowKey(NamedTuple):
    """What a row is known by: its number within the plan `scope`, or a reference of the operator's own, which
    is unique over all plans and has no scope."""

    scope: str
    key: str


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A row to be bought. `digest` is of what it says; `draft.step` is given by the ledger."""

    key: RowKey
    digest: str
    draft: IntentDraft


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row that was planned at `at`. `intent` is the latest of `tries`, None when it is no longer kept."""

    key: RowKey
    digest: str
    at: datetime
    intent_id: int
    tries: int
    intent: Intent | None


def may_be_planned_again(intent: Intent, again: Collection[IntentState]) -> bool:
    """Whether it ended in a state of `again`, and nothing says that it was bought after all."""
    return intent.state in again and not was_bought_after_all(intent)


def was_bought_after_all(intent: Intent) -> bool:
    """Whether the panel said so late, of what somebody had said that it came to nothing."""
    said = intent.evidence.get(LATE_ANSWER, "")
    return intent.state in NOTHING_BOUGHT and said.startswith(IntentState.CONFIRMED.value)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan as it was placed last: the `digest` of its file; `at` is when it was first placed."""

    name: str
    digest: str
    at: datetime
