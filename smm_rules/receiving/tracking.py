"""`POST /orders`: have known orders watched, each row answered by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from smm_rules.facts import Entity
from smm_rules.intake import IntakeOptions, Unacceptable
from smm_rules.intake.values import order_from
from smm_rules.ledger.records import Asked, NewOrder
from smm_rules.observe import get_logger
from smm_rules.receiving.call import Call, answered
from smm_rules.receiving.fields import Faulty, read_body, values_of
from smm_rules.receiving.keys import REPLAYED, key_of
from smm_rules.receiving.models import FaultAnswer, KnownOrder, RowAnswer, TrackedAnswer
from smm_rules.receiving.once import same_as
from smm_rules.receiving.problem import Code, Fault, Problem, invalid
from smm_rules.receiving.strict_json import digest_of

log = get_logger(__name__)

OPERATION = "track"


@dataclass(frozen=True, slots=True)
class _Row:
    """One order handed over: what it is, or what is wrong with it."""

    order: NewOrder | None
    faults: tuple[Fault, ...] = ()


async def track(call: Call) -> Response:
    """Watch one order or a list of them; 422 where not one can be taken."""
    client = call.enter("track")
    key = key_of(call.request.headers, needed=False)
    value = await call.json()
    asked = Asked(client.name, digest_of(OPERATION, value), key)
    async with call.reception.turns.turn(client.name, key):
        if key is not None:
            known = await call.reception.ledger.received(client.name, key)
            if known is not None:
                return _told(same_as(asked, known), replayed=True)
        return await _take(call, _rows(call, value), asked)


async def _take(call: Call, rows: Sequence[_Row], asked: Asked) -> Response:
    orders = [row.order for row in rows if row.order is not None]
    if not orders:
        raise invalid([fault for row in rows for fault in row.faults])
    made: list[TrackedAnswer] = []

    def answer(fresh: frozenset[Entity]) -> str:
        made[:] = [_answer(rows, fresh)]
        return made[0].model_dump_json()

    done = await call.reception.ledger.track_asked(orders, asked, answer, call.now, f"http:{asked.client}")
    if not made:  # another worker was faster
        return _told(same_as(asked, done), replayed=True)
    counts = made[0]
    log.info(
        "intake.http_tracked",
        client=asked.client,
        added=counts.tracked,
        known=counts.known,
        refused=counts.refused,
    )
    return _told(same_as(asked, done), replayed=False)


def _told(answer: str, *, replayed: bool) -> Response:
    return answered(answer, 200, {REPLAYED: "true"} if replayed else None)


# -- rows -----------------------------------------------------------------------------------------------
def _rows(call: Call, value: Any) -> list[_Row]:
    options = call.reception.options(call.now)
    if not isinstance(value, list):
        return [_row(value, options, "")]
    most = call.reception.settings.most_orders
    if len(value) > most:
        how = "Send them in several requests, or raise intake.http.most_orders"
        raise Problem(413, Code.TOO_LARGE, f"{len(value)} orders are more than {most}", how)
    if not value:
        raise invalid([Fault("", "no order is in the list", "Send one at least")])
    return [_row(each, options, f"/{index}") for index, each in enumerate(value)]


def _row(value: Any, options: IntakeOptions, pointer: str) -> _Row:
    try:
        values = values_of(read_body(KnownOrder, value, pointer), options, pointer)
        return _Row(order_from(values, options))
    except Faulty as faulty:
        return _Row(None, tuple(faulty.faults))
    except Unacceptable as problem:
        return _Row(None, (Fault(pointer, problem.what, problem.to_do),))


def _answer(rows: Sequence[_Row], fresh: frozenset[Entity]) -> TrackedAnswer:
    """What became of each row. Of one that stands twice in a list the first is the new one."""
    left = set(fresh)
    answers = []
    for index, row in enumerate(rows):
        if row.order is None:
            faults = [FaultAnswer(pointer=f.pointer, detail=f.detail, to_do=f.to_do) for f in row.faults]
            answers.append(RowAnswer(row=index, order=None, result="refused", errors=faults))
            continue
        entity = row.order.entity
        new = entity in left
        left.discard(entity)
        name = f"{entity.panel}/{entity.id}"
        answers.append(RowAnswer(row=index, order=name, result="tracked" if new else "known", errors=[]))
    counts = [answer.result for answer in answers]
    return TrackedAnswer(
        tracked=counts.count("tracked"),
        known=counts.count("known"),
        refused=counts.count("refused"),
        orders=answers,
    )
