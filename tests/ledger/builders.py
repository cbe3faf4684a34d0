"""Records for the ledger's tests, each with a sensible default for what a test doesn't care about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from smm_rules.engine.firing import Continuation, Firing, IntentDraft, MessageDraft, Occasion
from smm_rules.engine.memory import BLANK, Memory, Reason
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import (
    Intent,
    IntentState,
    NewOrder,
    Observed,
    Outcome,
    PlannedFiring,
    Sweep,
)
from smm_rules.rules.model import NO_LIMITS, Limits, Step, StepKind

T0 = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
NOTHING = Continuation()


def order(number: int | str = 1, panel: str = "north") -> Entity:
    return Entity(EntityKind.ORDER, panel, str(number))


def refill(number: int | str = 1, panel: str = "north") -> Entity:
    return Entity(EntityKind.REFILL, panel, str(number))


BALANCE = Entity(EntityKind.BALANCE, "north")


def observed(entity: Entity, facts: Facts, changed: bool = True, due_at: datetime | None = None) -> Observed:
    return Observed(entity, facts, changed, due_at)


def draft(
    step: str = "do.0",
    kind: StepKind = StepKind.REFILL,
    estimate: str | None = None,
    failure: str = "",
    panel: str = "north",
) -> IntentDraft:
    return IntentDraft(
        step=step,
        kind=kind,
        panel=panel,
        parameters={"quantity": "10"},
        estimate=None if estimate is None else Decimal(estimate),
        currency=None if estimate is None else "USD",
        failure=failure,
    )


def message(key: str = "key", body: str = "told") -> MessageDraft:
    return MessageDraft(key, StepKind.NOTIFY, "ops", "", body)


def firing(
    entity: Entity | None = None,
    rule: str = "top-up",
    episode: datetime = T0,
    occasion: Occasion = Occasion.FIRED,
    limits: Limits = NO_LIMITS,
) -> Firing:
    entity = entity or order()
    return Firing(
        rule=rule,
        rule_version="v1",
        entity=entity,
        root=entity,
        episode=episode,
        occasion=occasion,
        ordinal=0,
        at=episode + MINUTE,
        facts={"status": "Partial", "remains": 157},
        steps=(Step(StepKind.REFILL), Step(StepKind.NOTIFY, {"channel": "ops", "message": "asked"})),
        otherwise=(Step(StepKind.REORDER, {"quantity": "{{ order.remains }}"}),),
        limits=limits,
    )


def planned(
    what: Firing | None = None,
    intent: IntentDraft | None = None,
    messages: Sequence[MessageDraft] = (),
    memory_if_stopped: Memory = BLANK,
    hold: Reason | None = None,
) -> PlannedFiring:
    then = Continuation(tuple(messages), intent, finished=intent is None)
    return PlannedFiring(what or firing(), then, memory_if_stopped, hold)


def fired(*firings: PlannedFiring, at: datetime = T0 + MINUTE) -> Sweep:
    return Sweep(at, firings=firings)


def new_order(number: int | str = 1, parent: Entity | None = None, panel: str = "north") -> NewOrder:
    return NewOrder(
        order(number, panel), "7", {"link": "https://example.com/a", "quantity": "10"}, parent=parent
    )


def ended(state: IntentState, reason: str = "because", **more: object) -> Outcome:
    return Outcome(state, reason, **more)  # type: ignore[arg-type]  # a test names the fields it needs


async def plan(
    ledger: Ledger, intent: IntentDraft | None = None, episode: datetime = T0, number: int = 1
) -> int:
    """A planned intent of a firing for order `number`; its ID."""
    what = firing(order(number), episode=episode)
    recorded = await ledger.record(fired(planned(what, intent or draft())))
    return recorded.intents[0]


async def bring_to(ledger: Ledger, state: IntentState, intent: IntentDraft | None = None) -> Intent:
    """An intent brought to `state` by the shortest allowed way."""
    intent_id = await plan(ledger, intent)
    match state:
        case IntentState.PLANNED:
            pass
        case IntentState.HELD | IntentState.DENIED:
            await ledger.hold(intent_id, "approval", "", T0)
            if state is IntentState.DENIED:
                await ledger.deny(intent_id, T0, "ann")
        case _:
            assert await ledger.claim(intent_id, "d1", T0 + MINUTE, {})
            if state is not IntentState.SENDING:
                await ledger.settle(intent_id, ended(state), NOTHING, T0 + 2 * MINUTE, "d1")
    found = await ledger.intent(intent_id)
    assert found is not None
    assert found.state == state
    return found
