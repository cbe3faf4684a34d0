"""The outbox: told at least once, queued once."""

from __future__ import annotations

import pytest

from smm_rules.engine.firing import MessageDraft
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


async def test_text_that_utf8_cannot_hold_is_told_all_the_same(ledger: Ledger) -> None:
    assert await ledger.enqueue(message("k", "half \ud83d a face\x00"), T0) is True
    [queued] = await ledger.deliverable(T0, 10)
    assert queued.body == "half ? a face\x00"
