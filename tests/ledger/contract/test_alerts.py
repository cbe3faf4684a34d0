"""Alerts: born with their first message, over with their episode, in the same transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from smm_rules.engine.firing import AlertDraft, MessageDraft, Occasion, Telling
from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity
from smm_rules.ledger.alerts import (
    Alert,
    AlertQuestion,
    AlertState,
    GroupState,
    KeptBack,
    Matcher,
    SentAs,
)
from smm_rules.ledger.audit import AuditKind, AuditQuery
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import IntentState, MessageState, Remembered, Sweep
from smm_rules.rules.model import StepKind
from tests.ledger.builders import DAY, MINUTE, T0, draft, ended, firing, new_order, observed, order, planned
from tests.ledger.conftest import Opener

HELD = Memory(true_since=T0, fired_at=T0 + MINUTE, last_fired=T0 + MINUTE, firings=1)
OVER = Memory(last_fired=T0 + MINUTE, firings=1)


def telling(
    what: Telling = Telling.FIRED,
    entity: Entity | None = None,
    place: str = "do.0",
    channel: str = "ops",
    episode: datetime = T0,
    delay: timedelta = timedelta(),
) -> MessageDraft:
    alert = AlertDraft("top-up", entity or order(), episode, what)
    key = f"{alert.key}:{what}:{place}"
    return MessageDraft(key, StepKind.NOTIFY, channel, "", "told", "warning", alert=alert, delay=delay)


async def tell(ledger: Ledger, *drafts: MessageDraft, number: int = 1, memory: Memory = HELD) -> None:
    """Order `number` fires, in one look, and asks for these messages."""
    await ledger.track([new_order(number)], T0)
    what = firing(order(number))
    sweep = Sweep(
        T0 + MINUTE,
        remembered=(Remembered("top-up", order(number), memory),),
        firings=(planned(what, messages=drafts),),
    )
    await ledger.record(sweep)


async def over(ledger: Ledger, *drafts: MessageDraft, number: int = 1, at: datetime = T0 + DAY) -> None:
    """The episode of order `number` ends, in one look."""
    firings = ()
    if drafts:
        firings = (
            planned(replace(firing(order(number), occasion=Occasion.RESOLVED), at=at), messages=drafts),
        )
    await ledger.record(Sweep(at, remembered=(Remembered("top-up", order(number), OVER),), firings=firings))


async def only_alert(ledger: Ledger) -> Alert:
    [alert] = await ledger.alerts([], 10)
    return alert


async def test_an_alert_begins_with_its_first_message(ledger: Ledger) -> None:
    await tell(ledger, telling(), telling(place="do.1"))
    alert = await only_alert(ledger)
    assert alert == Alert(
        id=alert.id,
        key=AlertDraft("top-up", order(), T0, Telling.FIRED).key,
        rule="top-up",
        entity=order(),
        episode=T0,
        level="warning",
        state=AlertState.FIRING,
        fired_at=T0 + MINUTE,
    )
    assert await ledger.alert(alert.id) == alert
    assert await ledger.alert(alert.id + 1) is None
    messages = (await ledger.alert_messages([alert.key]))[alert.key]
    assert [(one.telling, one.channel, one.state) for one in messages] == [
        ("fired", "ops", MessageState.PENDING),
        ("fired", "ops", MessageState.PENDING),
    ]
    [first, _] = await ledger.deliverable(T0 + DAY, 10)
    assert (first.alert, first.telling, first.why) == (alert.key, "fired", "")


async def test_a_firing_that_tells_nobody_is_no_alert(ledger: Ledger) -> None:
    await tell(ledger, MessageDraft("k", StepKind.WEBHOOK, "hook", "", "{}"))
    assert await ledger.alerts([], 10) == ()


async def test_an_alert_is_over_when_its_episode_is_though_nobody_is_told(ledger: Ledger) -> None:
    await tell(ledger, telling())
    await tell(ledger, telling(entity=order(2)), number=2)
    await over(ledger)
    assert [(one.entity, one.resolved_at) for one in await ledger.alerts([AlertState.RESOLVED], 10)] == [
        (order(1), T0 + DAY)
    ]
    assert [one.entity for one in await ledger.alerts([AlertState.FIRING], 10)] == [order(2)]


async def test_the_notice_of_the_end_belongs_to_the_alert(ledger: Ledger) -> None:
    await tell(ledger, telling())
    await over(ledger, telling(Telling.RESOLVED, place="done.0"))
    alert = await only_alert(ledger)
    assert alert.state is AlertState.RESOLVED
    messages = (await ledger.alert_messages([alert.key]))[alert.key]
    assert [one.telling for one in messages] == ["fired", "resolved"]


async def test_an_end_without_an_alert_makes_none(ledger: Ledger) -> None:
    await ledger.enqueue(telling(Telling.RESOLVED), T0)
    assert await ledger.alerts([], 10) == ()


async def test_a_forgotten_order_has_no_open_alert(ledger: Ledger) -> None:
    await tell(ledger, telling())
    await ledger.forget(order(), T0 + DAY)
    assert (await only_alert(ledger)).resolved_at == T0 + DAY


async def test_a_message_after_an_action_that_outlasted_the_episode_opens_nothing(ledger: Ledger) -> None:
    await ledger.track([new_order()], T0)
    what = planned(firing(), draft())
    recorded = await ledger.record(
        Sweep(T0 + MINUTE, remembered=(Remembered("top-up", order(), HELD),), firings=(what,))
    )
    await over(ledger, at=T0 + 2 * MINUTE)
    await ledger.claim(recorded.intents[0], "d1", T0 + 3 * MINUTE, {})
    then = replace(what.continuation, messages=(telling(),), intent=None)
    await ledger.settle(recorded.intents[0], ended(IntentState.CONFIRMED), then, T0 + DAY, "d1")
    alert = await only_alert(ledger)
    assert (alert.state, alert.resolved_at) == (AlertState.RESOLVED, T0 + DAY)


async def test_a_refused_transaction_leaves_no_alert(ledger: Ledger) -> None:
    with pytest.raises(Exception, match=r".+"):
        await tell(ledger, telling(), replace(telling(place="do.1"), kind=None))  # type: ignore[arg-type]
    assert await ledger.alerts([], 10) == ()
    assert await ledger.deliverable(T0 + DAY, 10) == ()


async def test_an_alert_is_acknowledged_once(ledger: Ledger) -> None:
    await tell(ledger, telling())
    alert = await only_alert(ledger)
    acknowledged, changed = await ledger.acknowledge(alert.id, "operator:ann", "on it", T0 + DAY)
    assert changed
    assert acknowledged == replace(
        alert,
        state=AlertState.ACKNOWLEDGED,
        acknowledged_at=T0 + DAY,
        acknowledged_by="operator:ann",
        acknowledged_why="on it",
    )
    assert await ledger.acknowledge(alert.id, "operator:bob", "me too", T0 + 2 * DAY) == (acknowledged, False)
    assert await ledger.acknowledge(alert.id + 1, "operator:bob", "", T0) == (None, False)
    page = await ledger.audit_page(AuditQuery(kinds=(AuditKind.ALERT,)), 0, 10)
    assert [(entry.by, entry.subject, entry.data["reason"]) for entry in page] == [
        ("operator:ann", "order/north/1", "on it")
    ]


async def test_what_is_over_is_not_acknowledged(ledger: Ledger) -> None:
    await tell(ledger, telling())
    await over(ledger)
    _, changed = await ledger.acknowledge((await only_alert(ledger)).id, "operator:ann", "", T0 + DAY)
    assert not changed
    assert (await only_alert(ledger)).state is AlertState.RESOLVED


async def test_an_acknowledged_alert_is_over_with_its_episode(ledger: Ledger) -> None:
    await tell(ledger, telling())
    await ledger.acknowledge((await only_alert(ledger)).id, "operator:ann", "", T0 + MINUTE)
    await over(ledger)
    alert = await only_alert(ledger)
    assert (alert.state, alert.acknowledged_by) == (AlertState.RESOLVED, "operator:ann")


async def test_what_is_for_later_is_not_due_before_even_when_the_clock_is_set_back(ledger: Ledger) -> None:
    await tell(ledger, telling(), telling(Telling.ESCALATED, delay=DAY))
    await ledger.clock_set_back(T0)
    at = T0 + MINUTE + DAY
    assert [one.telling for one in await ledger.deliverable(at - MINUTE, 10)] == ["fired"]
    assert [one.telling for one in await ledger.deliverable(at, 10)] == ["fired", "escalated"]


async def test_what_is_kept_back_waits_with_its_reason_and_without_an_attempt(ledger: Ledger) -> None:
    await tell(ledger, telling())
    [queued] = await ledger.deliverable(T0 + DAY, 10)
    await ledger.keep_back([KeptBack(queued.id, "silenced", T0 + 2 * DAY)], T0)
    assert await ledger.deliverable(T0 + DAY, 10) == ()
    [kept] = await ledger.messages([MessageState.PENDING], 10)
    assert (kept.why, kept.attempts, kept.next_attempt_at) == ("silenced", 0, T0 + 2 * DAY)
    assert await ledger.take_up_kept_back(T0 + MINUTE) == 1
    assert len(await ledger.deliverable(T0 + MINUTE, 10)) == 1


async def test_what_a_channel_refused_is_not_taken_up_early(ledger: Ledger) -> None:
    await tell(ledger, telling())
    [queued] = await ledger.deliverable(T0 + DAY, 10)
    await ledger.undelivered(queued.id, "no route", T0 + DAY, T0)
    assert await ledger.take_up_kept_back(T0 + MINUTE) == 0


async def test_what_is_suppressed_is_listed_and_never_delivered_or_revived(ledger: Ledger) -> None:
    await tell(ledger, telling())
    [queued] = await ledger.deliverable(T0 + DAY, 10)
    await ledger.keep_back([KeptBack(queued.id, "acknowledged", None)], T0)
    assert await ledger.deliverable(T0 + DAY, 10) == ()
    assert await ledger.revive(None, T0, "ann") == ()
    [suppressed] = await ledger.messages([MessageState.SUPPRESSED], 10)
    assert (suppressed.id, suppressed.why) == (queued.id, "acknowledged")
    assert await ledger.messages([MessageState.DEAD, MessageState.DROPPED], 10) == ()
    assert (await ledger.totals(T0)).messages == {"suppressed": 1}


async def test_what_was_delivered_meanwhile_is_not_kept_back(ledger: Ledger) -> None:
    await tell(ledger, telling(), telling(place="do.1"))
    first, second = await ledger.deliverable(T0 + DAY, 10)
    await ledger.delivered(first.id, T0)
    await ledger.delivered(second.id, T0)
    kept = [KeptBack(first.id, "silenced", T0 + DAY), KeptBack(second.id, "acknowledged", None)]
    await ledger.keep_back(kept, T0)
    assert [one.why for one in await ledger.messages([MessageState.DELIVERED], 10)] == ["sent", "sent"]


async def test_several_messages_sent_as_one_are_one_delivery(ledger: Ledger) -> None:
    await tell(ledger, telling(), telling(place="do.1"), telling(place="do.2"))
    first, second, third = await ledger.deliverable(T0 + DAY, 10)
    await ledger.delivered_together([first.id, second.id], SentAs("grouped", "ops/top-up", "digest:1"), T0)
    await ledger.delivered(third.id, T0 + MINUTE)
    question = AlertQuestion(rates={"ops": (5, T0 - MINUTE), "boss": (5, T0 - MINUTE)})
    standing = await ledger.alert_standing(question, T0 + MINUTE)
    assert standing.deliveries == {"ops": (T0 + MINUTE, T0), "boss": ()}
    delivered = await ledger.messages([MessageState.DELIVERED], 10)
    assert [one.why for one in delivered] == ["sent", "grouped", "grouped"]


async def test_a_group_knows_since_when_it_waits_and_when_it_was_sent(ledger: Ledger) -> None:
    await tell(ledger, telling(), telling(place="do.1"))
    await tell(ledger, telling(entity=order(2)), number=2)
    first, second, third = await ledger.deliverable(T0 + DAY, 10)
    await ledger.delivered_together([first.id], SentAs("grouped", "ops/a"), T0 + 5 * MINUTE)
    kept = [KeptBack(one.id, "group_wait", T0 + DAY, "ops/a") for one in (second, third)]
    await ledger.keep_back(kept, T0)
    standing = await ledger.alert_standing(AlertQuestion(groups=("ops/a", "ops/b")), T0 + DAY)
    assert standing.groups == {
        "ops/a": GroupState(T0 + MINUTE, T0 + 5 * MINUTE),
        "ops/b": GroupState(None, None),
    }


async def test_a_standing_has_the_alerts_asked_for_and_those_that_may_inhibit(ledger: Ledger) -> None:
    await tell(ledger, telling())
    await tell(ledger, telling(entity=order(2)), number=2)
    one, two = reversed(await ledger.alerts([], 10))
    standing = await ledger.alert_standing(AlertQuestion((one.key,), ("top-up",)), T0)
    assert standing.alerts == {one.key: one}
    assert set(standing.messages) == {one.key}
    assert standing.inhibitors == (one, two)
    assert (await ledger.alert_standing(AlertQuestion((), ("other",)), T0)).inhibitors == ()
    assert (await ledger.alert_standing(AlertQuestion((), None), T0)).inhibitors == (one, two)
    assert (await ledger.alert_standing(AlertQuestion(), T0)).inhibitors == ()


async def test_a_silence_is_in_force_until_its_end(ledger: Ledger) -> None:
    matcher = Matcher(rule="top-*", panel="north", entity="1")
    silence = await ledger.add_silence(matcher, "known", "operator:ann", T0, T0 + DAY)
    assert (silence.matcher, silence.reason, silence.by) == (matcher, "known", "operator:ann")
    assert await ledger.silences() == (silence,)
    assert (await ledger.alert_standing(AlertQuestion(), T0)).silences == (silence,)
    assert (await ledger.alert_standing(AlertQuestion(), T0 + DAY)).silences == ()
    assert await ledger.silences() == (silence,), "its end hasn't been told yet"


async def test_the_end_of_a_silence_is_told_once_and_takes_up_what_it_kept_back(ledger: Ledger) -> None:
    await tell(ledger, telling())
    [queued] = await ledger.deliverable(T0 + DAY, 10)
    silence = await ledger.add_silence(Matcher(), "known", "operator:ann", T0, T0 + 2 * DAY)
    await ledger.keep_back([KeptBack(queued.id, "silenced", T0 + 2 * DAY)], T0)
    notice = MessageDraft("silence:1", StepKind.NOTIFY, "ops", "", "over")
    assert await ledger.end_silence(silence.id, T0 + DAY, "operator:bob", notice)
    assert not await ledger.end_silence(silence.id, T0 + DAY, "operator:bob", notice)
    due = await ledger.deliverable(T0 + DAY, 10)
    assert sorted(one.dedup_key for one in due) == sorted([queued.dedup_key, "silence:1"])
    assert await ledger.silences() == ()
    assert [(one.ended_at, one.ended_by) for one in await ledger.silences(5)] == [(T0 + DAY, "operator:bob")]
    page = await ledger.audit_page(AuditQuery(kinds=(AuditKind.SILENCE,)), 0, 10)
    assert [(entry.by, entry.data["what"]) for entry in page] == [
        ("operator:ann", "added"),
        ("operator:bob", "ended"),
    ]


async def test_a_silence_ended_while_a_message_was_being_judged_keeps_it_back_no_longer(
    ledger: Ledger,
) -> None:
    await tell(ledger, telling())
    [queued] = await ledger.deliverable(T0 + DAY, 10)
    silence = await ledger.add_silence(Matcher(), "known", "operator:ann", T0, T0 + 9 * DAY)
    await ledger.end_silence(silence.id, T0 + DAY, "operator:ann")
    kept = KeptBack(queued.id, "silenced", T0 + 9 * DAY, silence=silence.id)
    await ledger.keep_back([kept], T0 + DAY)
    assert [one.id for one in await ledger.deliverable(T0 + DAY, 10)] == [queued.id]


async def test_alerts_that_are_over_or_never_will_be_are_pruned(ledger: Ledger) -> None:
    for number in (1, 2, 3):
        await tell(ledger, telling(entity=order(number)), number=number)
    await over(ledger, at=T0 + 2 * MINUTE)
    settled = observed(order(2), {"status": "Completed"}, due_at=None)
    await ledger.record(Sweep(T0 + 3 * MINUTE, observed=(settled,)))
    silence = await ledger.add_silence(Matcher(), "", "operator:ann", T0, T0 + MINUTE)
    await ledger.end_silence(silence.id, T0 + MINUTE, "smm-rules")
    dropped = await ledger.prune(T0 + DAY)
    assert (dropped["alerts"], dropped["silences"]) == (2, 1)
    assert [one.entity for one in await ledger.alerts([], 10)] == [order(3)]


async def test_alerts_outlive_the_process(open_ledger: Opener) -> None:
    first = await open_ledger()
    await tell(first, telling())
    alert = await only_alert(first)
    await first.acknowledge(alert.id, "operator:ann", "on it", T0 + DAY)
    await first.aclose()
    second = await open_ledger()
    assert (await only_alert(second)).state is AlertState.ACKNOWLEDGED
    await second.aclose()


async def test_whoever_it_was_escalated_to_is_told_of_its_end_once(ledger: Ledger) -> None:
    escalated = telling(Telling.ESCALATED, place="do.0:escalate.0", channel="boss")
    await tell(ledger, telling(), escalated)
    for queued in await ledger.deliverable(T0 + DAY, 10):
        await ledger.delivered(queued.id, T0 + DAY)
    ours = telling(Telling.RESOLVED, place="done.0")
    await over(ledger, ours)
    due = await ledger.deliverable(T0 + DAY, 10)
    assert [(one.telling, one.channel, one.body) for one in due] == [
        ("resolved", "ops", "told"),
        ("resolved", "boss", "told"),
    ]
    assert not await ledger.enqueue(ours, T0 + DAY)
    assert len(await ledger.deliverable(T0 + DAY, 10)) == 2


async def test_the_rule_s_own_notice_stands_in_for_that_of_the_escalation(ledger: Ledger) -> None:
    escalated = telling(Telling.ESCALATED, place="do.0:escalate.0", channel="boss")
    await tell(ledger, telling(), escalated)
    for queued in await ledger.deliverable(T0 + DAY, 10):
        await ledger.delivered(queued.id, T0 + DAY)
    to_boss = telling(Telling.RESOLVED, place="done.1", channel="boss")
    await over(ledger, telling(Telling.RESOLVED, place="done.0"), to_boss)
    due = await ledger.deliverable(T0 + DAY, 10)
    assert [(one.channel, one.dedup_key) for one in due if one.channel == "boss"] == [
        ("boss", to_boss.dedup_key)
    ]


async def test_an_escalation_that_was_never_sent_has_no_end_to_be_told(ledger: Ledger) -> None:
    await tell(ledger, telling(), telling(Telling.ESCALATED, channel="boss", delay=2 * DAY))
    [first] = await ledger.deliverable(T0 + DAY, 10)
    await ledger.delivered(first.id, T0 + DAY)
    await over(ledger, telling(Telling.RESOLVED, place="done.0"))
    assert [one.channel for one in await ledger.deliverable(T0 + DAY, 10)] == ["ops"]
