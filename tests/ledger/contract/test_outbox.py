"""The outbox: told at least once, queued once."""

from __future__ import annotations

import pytest

from smm_rules.engine.firing import MessageDraft
from smm_rules.ledger.alerts import KeptBack
from smm_rules.ledger.audit import AuditKind, AuditQuery
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import MessageState, QueuedMessage
from smm_rules.rules.model import StepKind
from tests.ledger.builders import DAY, MINUTE, T0, message
from tests.ledger.conftest import Opener


async def test_a_message_comes_back_as_it_was_queued(ledger: Ledger) -> None:
    draft = MessageDraft("k", StepKind.WEBHOOK, "hook", "title", '{"a": 1}', "warning", "template failed")
    assert await ledger.enqueue(draft, T0) is True
    [queued] = await ledger.deliverable(T0, 10)
    assert queued == QueuedMessage(
        id=queued.id,
        dedup_key="k",
        kind=StepKind.WEBHOOK,
        channel="hook",
        title="title",
        body='{"a": 1}',
        level="warning",
        state=MessageState.PENDING,
        created_at=T0,
        next_attempt_at=T0,
        attempts=0,
        last_error="",
    )


@pytest.mark.parametrize("state", list(MessageState))
async def test_a_key_is_queued_once_whatever_became_of_it(ledger: Ledger, state: MessageState) -> None:
    await ledger.enqueue(message("k"), T0)
    [queued] = await ledger.deliverable(T0, 10)
    if state is MessageState.DELIVERED:
        await ledger.delivered(queued.id, T0)
    if state is MessageState.DEAD:
        await ledger.undelivered(queued.id, "gone", None, T0)
    if state is MessageState.DROPPED:
        assert await ledger.drop([queued.id], T0, "ann") == (queued.id,)
    if state is MessageState.SUPPRESSED:
        await ledger.keep_back([KeptBack(queued.id, "acknowledged", None)], T0)
    assert await ledger.enqueue(message("k", "again"), T0 + DAY) is False
    assert [(one.body, one.state) for one in await ledger.messages([], 10)] == [("told", state)]


async def test_pending_messages_are_due_oldest_first(ledger: Ledger) -> None:
    for number in (2, 0, 1):
        await ledger.enqueue(message(str(number)), T0 + number * MINUTE)
    due = await ledger.deliverable(T0 + MINUTE, 10)
    assert [one.dedup_key for one in due] == ["0", "1"]
    assert [one.dedup_key for one in await ledger.deliverable(T0 + DAY, 2)] == ["0", "1"]


async def test_a_delivered_message_is_not_due_again(ledger: Ledger) -> None:
    await ledger.enqueue(message(), T0)
    [queued] = await ledger.deliverable(T0, 10)
    await ledger.delivered(queued.id, T0 + MINUTE)
    assert await ledger.deliverable(T0 + DAY, 10) == ()
    [after] = await ledger.messages([MessageState.DELIVERED], 10)
    assert after.id == queued.id


async def test_a_failed_delivery_is_tried_again_at_its_time(ledger: Ledger) -> None:
    await ledger.enqueue(message(), T0)
    [queued] = await ledger.deliverable(T0, 10)
    await ledger.undelivered(queued.id, "no route", T0 + DAY, T0)
    assert await ledger.deliverable(T0 + DAY - MINUTE, 10) == ()
    [again] = await ledger.deliverable(T0 + DAY, 10)
    assert (again.attempts, again.last_error, again.next_attempt_at) == (1, "no route", T0 + DAY)


async def test_a_message_without_another_try_is_dead_and_kept(ledger: Ledger) -> None:
    await ledger.enqueue(message(), T0)
    [queued] = await ledger.deliverable(T0, 10)
    await ledger.undelivered(queued.id, "no such channel", None, T0)
    assert await ledger.deliverable(T0 + DAY, 10) == ()
    [dead] = await ledger.messages([MessageState.DEAD], 10)
    assert (dead.attempts, dead.last_error) == (1, "no such channel")
    assert (await ledger.prune(T0 + DAY))["messages"] == 0


async def test_a_message_delivered_by_another_process_stays_delivered(ledger: Ledger) -> None:
    await ledger.enqueue(message(), T0)
    [queued] = await ledger.deliverable(T0, 10)
    await ledger.delivered(queued.id, T0)
    await ledger.undelivered(queued.id, "time-out", T0 + MINUTE, T0)
    [after] = await ledger.messages([], 10)
    assert (after.state, after.attempts) == (MessageState.DELIVERED, 0)


async def test_messages_are_listed_newest_first_by_state(ledger: Ledger) -> None:
    for key in "abc":
        await ledger.enqueue(message(key), T0)
    first = (await ledger.deliverable(T0, 1))[0]
    await ledger.delivered(first.id, T0)
    assert [one.dedup_key for one in await ledger.messages([], 10)] == ["c", "b", "a"]
    assert [one.dedup_key for one in await ledger.messages([MessageState.PENDING], 10)] == ["c", "b"]
    assert [one.dedup_key for one in await ledger.messages([MessageState.PENDING], 1)] == ["c"]
    assert await ledger.messages([MessageState.DEAD], 10) == ()


async def test_the_outbox_survives_closing(ledger: Ledger, open_ledger: Opener) -> None:
    await ledger.enqueue(message(), T0)
    before = await ledger.deliverable(T0, 10)
    await ledger.aclose()
    again = await open_ledger()
    assert await again.deliverable(T0, 10) == before
    await again.aclose()


async def test_text_that_no_database_can_hold_is_told_all_the_same(ledger: Ledger) -> None:
    assert await ledger.enqueue(message("k", "half \ud83d a face\x00"), T0) is True
    [queued] = await ledger.deliverable(T0, 10)
    assert queued.body == "half ? a face?"


async def _dead(ledger: Ledger, *keys: str) -> list[int]:
    """Messages that were given up; their IDs."""
    for key in keys:
        await ledger.enqueue(message(key), T0)
    found = await ledger.deliverable(T0, 10)
    for one in found:
        await ledger.undelivered(one.id, "gone", None, T0)
    return [one.id for one in found]


async def test_a_dead_message_is_revived_with_all_its_attempts_before_it(ledger: Ledger) -> None:
    one, two = await _dead(ledger, "one", "two")
    assert await ledger.revive([one, 99], T0 + DAY, "ann") == (one,)
    [again] = await ledger.deliverable(T0 + DAY, 10)
    assert (again.id, again.attempts, again.revived, again.last_error) == (one, 0, 1, "gone")
    assert [each.id for each in await ledger.messages((MessageState.DEAD,), 10)] == [two]
    await ledger.delivered(one, T0 + DAY)
    assert await ledger.revive(None, T0 + DAY, "ann") == (two,)
    assert await ledger.revive(None, T0 + DAY, "ann") == ()


async def test_what_was_dropped_is_neither_delivered_nor_revived(ledger: Ledger) -> None:
    [dead] = await _dead(ledger, "dead")
    await ledger.enqueue(message("pending"), T0)
    [pending] = await ledger.deliverable(T0, 10)
    assert await ledger.drop([pending.id, dead, 99], T0, "ann") == (dead, pending.id)
    assert await ledger.drop([dead], T0, "ann") == ()
    assert await ledger.deliverable(T0 + DAY, 10) == ()
    assert await ledger.revive(None, T0, "ann") == ()
    await ledger.undelivered(pending.id, "late news", T0, T0)
    assert {each.id for each in await ledger.messages((MessageState.DROPPED,), 10)} == {dead, pending.id}
    assert await ledger.messages((MessageState.DEAD, MessageState.PENDING), 10) == ()
    assert (await ledger.totals(T0)).messages == {"dropped": 2}
    await ledger.delivered(pending.id, T0)  # it was under way: it did arrive
    assert (await ledger.totals(T0)).messages == {"dropped": 1, "delivered": 1}
    assert (await ledger.prune(T0 + DAY))["messages"] == 2


async def test_who_revived_and_dropped_is_in_the_record(ledger: Ledger) -> None:
    one, two = await _dead(ledger, "one", "two")
    await ledger.revive([one], T0, "ann")
    await ledger.drop([two], T0 + MINUTE, "bob")
    await ledger.drop([two], T0 + MINUTE, "bob")
    entries = await ledger.audit_page(AuditQuery(kinds=(AuditKind.OUTBOX,)), 0, 10)
    assert [(entry.at, entry.by, entry.data) for entry in entries] == [
        (T0, "ann", {"what": "revived", "messages": {str(one): "one"}}),
        (T0 + MINUTE, "bob", {"what": "dropped", "messages": {str(two): "two"}}),
    ]
