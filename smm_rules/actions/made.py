"""What an action made on a panel: the confirmed outcome, with the order or refill to watch from now on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from smm_rules.actions.attempt import ACCEPTED
from smm_rules.engine.buying import LABEL, PLACED_RATE, SERVICE
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Intent, IntentState, NewOrder, OrderSource, Outcome, TrackedOrder
from smm_rules.rules.model import StepKind


def confirmed(
    intent: Intent,
    result: str,
    order: TrackedOrder | None,
    sent: Mapping[str, str],
    rate: str,
    at: datetime,
    reason: str = ACCEPTED,
) -> Outcome:
    """The outcome of an intent that the panel carried out.

    `result` is the panel's ID; `order` the order the intent is about; `sent` the call's parameters and
    `rate` the price of 1000 it was placed at, empty where unknown; `at` when it was placed.
    """
    if intent.kind is StepKind.REFILL:
        refill = Entity(EntityKind.REFILL, intent.panel, result) if result else None
        return Outcome(IntentState.CONFIRMED, reason, result=result, refill=refill)
    if intent.kind is StepKind.CANCEL:
        return Outcome(IntentState.CONFIRMED, reason, result=result)
    tracked = _order(intent, result, order, sent, rate, at)
    return Outcome(IntentState.CONFIRMED, reason, result=result, tracked=tracked)


def _order(
    intent: Intent,
    result: str,
    order: TrackedOrder | None,
    sent: Mapping[str, str],
    rate: str,
    at: datetime,
) -> NewOrder:
    parameters = {name: text for name, text in sent.items() if name != SERVICE}
    if rate:
        parameters[PLACED_RATE] = rate
    reordered = intent.kind is StepKind.REORDER
    return NewOrder(
        entity=Entity(EntityKind.ORDER, intent.panel, result),
        service=sent.get(SERVICE),
        parameters=parameters,
        placed_at=at,
        label=intent.parameters.get(LABEL) or (order.label if order else ""),
        source=OrderSource.REORDERED if reordered else OrderSource.PLACED,
        parent=order.entity if reordered and order else None,
    )


def parameters_text(parameters: Mapping[str, str]) -> str:
    """A call's parameters as evidence keeps them."""
    return json.dumps(dict(parameters), ensure_ascii=True, sort_keys=True)


def parameters_from(text: str | None) -> dict[str, str]:
    """The parameters that `parameters_text` wrote; empty when none were kept."""
    return {str(name): str(value) for name, value in json.loads(text or "{}").items()}
