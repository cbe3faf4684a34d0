"""`GET /orders/{panel}/{id}` and `GET /intents/{id}`: how things stand."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from starlette.responses import Response

from smm_rules.engine.buying import LABEL
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.plans import was_bought_after_all
from smm_rules.ledger.records import Intent, IntentState, TrackedOrder, Watched
from smm_rules.ledger.states import FINAL
from smm_rules.receiving.call import Call, answered
from smm_rules.receiving.models import IntentAnswer, OrderAnswer
from smm_rules.receiving.problem import Code, Problem

_LARGEST_ID = 2**63 - 1


async def order(call: Call) -> Response:
    """An order as it was last read."""
    call.enter("read")
    panel, name = call.request.path_params["panel"], call.request.path_params["order"]
    entity = Entity(EntityKind.ORDER, panel, name)
    known = await call.reception.ledger.order(entity)
    if known is None:
        raise Problem(404, Code.NOT_FOUND, "there is no such order here", "Hand it over with POST /orders")
    watched = await call.reception.ledger.watched(entity)
    return answered(order_answer(known, watched).model_dump_json())


async def intent(call: Call) -> Response:
    """An action as it stands."""
    call.enter("read")
    written = call.request.path_params["intent"]
    number = int(written) if written.isascii() and written.isdecimal() and len(written) <= 19 else 0
    found = await call.reception.ledger.intent(number) if 0 < number <= _LARGEST_ID else None
    if found is None:
        raise Problem(404, Code.NOT_FOUND, "there is no such intent here")
    return answered(intent_answer(found).model_dump_json())


def intent_answer(intent: Intent) -> IntentAnswer:
    """An intent as programs get it.

    One that its panel said late to have carried out isn't told as come to nothing, which is somebody else's
    word: a program would ask for it anew.
    """
    state = IntentState.UNKNOWN if was_bought_after_all(intent) else intent.state
    parameters = {name: text for name, text in intent.parameters.items() if name != LABEL}
    confirmed = state is IntentState.CONFIRMED
    return IntentAnswer(
        intent=intent.id,
        state=state.value,
        final=state in FINAL,
        kind=intent.kind.value,
        panel=intent.panel,
        parameters=parameters,
        label=intent.parameters.get(LABEL, ""),
        reason=intent.reason,
        message=intent.message,
        order=(intent.result or None) if confirmed else None,
        cost=_money(intent.reserved),
        currency=intent.currency,
        planned_at=intent.planned_at,
        settled_at=intent.settled_at,
    )


def order_answer(order: TrackedOrder, watched: Watched | None) -> OrderAnswer:
    """An order as programs get it."""
    facts: Facts = {} if watched is None else watched.facts
    return OrderAnswer(
        order=order.entity.id,
        panel=order.entity.panel,
        service=order.service,
        parameters=order.parameters,
        label=order.label,
        placed_at=order.placed_at,
        tracked_at=order.tracked_at,
        watched=watched is not None,
        status=_text(facts.get("status")),
        remains=_whole(facts.get("remains")),
        start_count=_whole(facts.get("start_count")),
        charge=_money(facts.get("charge")),
        currency=_text(facts.get("currency")),
        error=_text(facts.get("error")) or "",
        refills=order.refills,
        replaces=None if order.parent is None else f"{order.parent.panel}/{order.parent.id}",
        seen_at=_instant(None if watched is None else watched.last_seen_at),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _money(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return format(value, "f") if isinstance(value, Decimal) else None


def _instant(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
