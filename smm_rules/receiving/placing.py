"""`POST /orders/place`: plan an order that is to be bought. It is never sent within the request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from starlette.responses import Response

from smm_rules.actions.place import draft_order
from smm_rules.engine.firing import IntentDraft, MessageDraft
from smm_rules.engine.memory import Reason
from smm_rules.intake import IntakeOptions, Unacceptable
from smm_rules.intake.columns import SERVICE
from smm_rules.intake.values import Purchase as Wanted
from smm_rules.intake.values import instant, purchase_from
from smm_rules.ledger.records import Asked, Intent, IntentState, Received
from smm_rules.notify.operator import maybe_bought_before
from smm_rules.observe import get_logger
from smm_rules.receiving.call import Call, answered
from smm_rules.receiving.fields import Faulty, read_body, values_of
from smm_rules.receiving.keys import REPLAYED, key_of
from smm_rules.receiving.models import Purchase
from smm_rules.receiving.once import same_as
from smm_rules.receiving.problem import Fault, invalid
from smm_rules.receiving.reading import intent_answer
from smm_rules.receiving.strict_json import digest_of

log = get_logger(__name__)

OPERATION = "place"


async def place(call: Call) -> Response:
    """Plan the purchase once, however often it is asked for: 202 with its intent."""
    client = call.enter("place")
    key = key_of(call.request.headers, needed=True)
    assert key is not None
    value = await call.json()
    digest = digest_of(OPERATION, value)
    async with call.reception.turns.turn(client.name, key):
        asked = Asked(client.name, digest, key)
        known = await call.reception.ledger.received(client.name, key)
        if known is not None:
            # Before anything is checked: what was done stays done, whatever became of services and panels.
            return _told(asked, known, replayed=True)
        wanted, since = _wanted(value, call.reception.options(call.now))
        draft = await _draft(call, wanted, asked)
        return await _plan(call, draft, Asked(client.name, digest, key, since))


async def _plan(call: Call, draft: IntentDraft, asked: Asked) -> Response:
    made: list[Intent] = []

    def answer(intent: Intent) -> str:
        made[:] = [intent]
        return intent_answer(intent).model_dump_json()

    def told(intent: Intent) -> MessageDraft | None:
        """What guards hold is told of by those who mind them."""
        if (intent.state, intent.reason) != (IntentState.HELD, Reason.RESTORED):
            return None
        return call.reception.voice.addressed(maybe_bought_before(intent))

    ledger, by = call.reception.ledger, f"http:{asked.client}"
    done = await ledger.purchase(draft, asked, answer, call.now, by, call.reception.bounds, told)
    call.reception.host.planned()
    if not made:  # another worker was faster
        return _told(asked, done, replayed=True)
    intent = made[0]
    log.info(
        "intake.http_placed",
        client=asked.client,
        intent=intent.id,
        panel=intent.panel,
        state=intent.state.value,
        reason=intent.reason,
    )
    return _told(asked, done, replayed=False)


def _told(asked: Asked, done: Received, *, replayed: bool) -> Response:
    headers: Mapping[str, str] = {"Location": f"/intents/{done.intent}"}
    answer = same_as(asked, done)
    if replayed:
        log.info("intake.http_replayed", client=asked.client, intent=done.intent)
        headers = {**headers, REPLAYED: "true"}
    return answered(answer, 202, headers)


def _wanted(value: Any, options: IntakeOptions) -> tuple[Wanted, datetime | None]:
    """What is to be bought, and since when it is asked for. `Problem` 422 names everything wrong."""
    try:
        body = read_body(Purchase, value, "")
        values = values_of(body, options, "")
        since = None if body.asked_at is None else _since(body.asked_at, options)
        return purchase_from(values, options), since
    except Faulty as faulty:
        raise invalid(faulty.faults) from None
    except Unacceptable as problem:
        raise invalid([Fault("", problem.what, problem.to_do)]) from None


def _since(text: str, options: IntakeOptions) -> datetime:
    """Never later than now: clocks differ."""
    try:
        return min(instant(text.strip(), options), options.now)
    except Unacceptable as problem:
        raise Faulty([Fault("/asked_at", problem.what, problem.to_do)]) from None


async def _draft(call: Call, wanted: Wanted, asked: Asked) -> IntentDraft:
    """The action, under a name that only this key can have."""
    named = sha256(json.dumps([asked.client, asked.key]).encode()).hexdigest()[:32]
    try:
        return await draft_order(
            call.reception.ledger, wanted.panel, wanted.parameters, f"http.{named}", label=wanted.label
        )
    except Unacceptable as problem:
        at = f"/{SERVICE}" if "catalogue" in problem.what else ""
        raise invalid([Fault(at, problem.what, problem.to_do)]) from None
