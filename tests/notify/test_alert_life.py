"""Alerts over a real ledger: what is kept back, what goes out together, and what a restart makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from smm_rules.config.alerts import AlertSettings, GroupSettings, Rate
from smm_rules.engine.firing import AlertDraft, MessageDraft, Telling
from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.alerts import AlertState, Matcher
from smm_rules.ledger.records import MessageState, Observed, Remembered, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.channel import DeliveryFailed, Message
from smm_rules.notify.delivery import deliver_due
from smm_rules.notify.keeping import AlertPolicy
from smm_rules.notify.operator import OperatorVoice
from smm_rules.notify.silences import end_over
from smm_rules.observe import Counters
from smm_rules.rules.model import StepKind
from tests.ledger.builders import new_order
from tests.notify.outbox import START, FakeChannel

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
BY = "operator:ann"


class Life:
    """A ledger, two channels and a policy."""

    def __init__(self, ledger: SqliteLedger) -> None:
        self.ledger = ledger
        self.ops = FakeChannel("ops")
        self.boss = FakeChannel("boss")
        self.policy = AlertPolicy()
        self.counters = Counters()

    async def tell(
        self,
        number: int,
        telling: Telling = Telling.FIRED,
        at: datetime = START,
        channel: str = "ops",
        rule: str = "late",
        delay: timedelta = timedelta(),
        level: str = "warning",
    ) -> None:
        """Order `number`'s alert begins, goes on or is over, and this tells of it."""
        entity = Entity(EntityKind.BALANCE if rule == "down" else EntityKind.ORDER, "north", str(number))
        over = telling is Telling.RESOLVED
        memory = Memory() if over else Memory(true_since=START, fired_at=START)
        if rule != "down":
            await self.ledger.track([new_order(number)], START)
        seen = Observed(entity, {}, changed=False, due_at=at)
        await self.ledger.record(Sweep(at, (seen,), (Remembered(rule, entity, memory),)))
        alert = AlertDraft(rule, entity, START, telling)
        text = f"order {number} {telling}"
        draft = MessageDraft(
            f"{alert.key}:{telling}:{channel}:{at.isoformat()}",
            StepKind.NOTIFY,
            channel,
            "",
            text,
            level,
            alert=alert,
            delay=delay,
        )
        assert await self.ledger.enqueue(draft, at)

    async def deliver(self, now: datetime) -> list[str]:
        """What goes out now, to all channels: the bodies, or the titles of digests."""
        before = len(self.ops.sent), len(self.boss.sent)
        channels = {"ops": self.ops, "boss": self.boss}
        await deliver_due(self.ledger, channels, now, counters=self.counters, policy=self.policy)
        sent = [*self.ops.sent[before[0] :], *self.boss.sent[before[1] :]]
        return [message.title or message.body for message in sent]

    async def whys(self, *states: MessageState) -> list[str]:
        return [one.why for one in reversed(await self.ledger.messages(states, 100))]

    async def silence(self, lasting: timedelta = HOUR, now: datetime = START) -> int:
        return (await self.ledger.add_silence(Matcher(rule="late"), "known", BY, now, now + lasting)).id

    async def acknowledge(self, number: int = 1) -> None:
        await self.ledger.acknowledge(number, BY, "on it", START)


@pytest.fixture
async def life(tmp_path: Path) -> AsyncIterator[Life]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        yield Life(ledger)


async def test_an_alert_that_nothing_keeps_back_goes_out_at_once(life: Life) -> None:
    await life.tell(1)
    assert await life.deliver(START) == ["order 1 fired"]
    assert await life.whys(MessageState.DELIVERED) == ["sent"]
    await life.tell(1, Telling.RESOLVED, START + MINUTE)
    assert await life.deliver(START + MINUTE) == ["order 1 resolved"]


# -- silences -----------------------------------------------------------------------------------------------
async def test_what_still_goes_on_when_a_silence_ends_is_told_then_as_one(life: Life) -> None:
    await life.silence()
    for number in (1, 2, 3):
        await life.tell(number)
    assert await life.deliver(START) == []
    assert await life.whys(MessageState.PENDING) == ["silenced"] * 3
    await life.tell(2, Telling.RESOLVED, START + MINUTE)
    assert await life.deliver(START + MINUTE) == []
    assert await life.deliver(START + HOUR) == ["2 alerts (late 2)"]
    [digest] = life.ops.sent
    assert digest.body == "- order 1 fired\n- order 3 fired"
    # In the order of the messages: the second is over and was never told, and neither is its end.
    assert await life.whys() == ["grouped", "resolved", "grouped", "resolved"]


async def test_an_end_within_a_silence_is_told_after_it(life: Life) -> None:
    await life.tell(1)
    await life.deliver(START)
    await life.silence()
    await life.tell(1, Telling.RESOLVED, START + MINUTE)
    assert await life.deliver(START + MINUTE) == []
    assert await life.deliver(START + HOUR) == ["order 1 resolved"]


async def test_a_silence_ended_early_lets_go_what_it_kept_back(life: Life) -> None:
    number = await life.silence()
    await life.tell(1)
    await life.deliver(START)
    await life.ledger.end_silence(number, START + MINUTE, BY)
    assert await life.deliver(START + MINUTE) == ["order 1 fired"]


async def test_the_end_of_a_silence_is_told_to_the_operator_once(life: Life) -> None:
    number = await life.silence()
    voice = OperatorVoice(life.ledger, "boss")
    assert await end_over(life.ledger, voice, START + HOUR - MINUTE) == 0
    assert await end_over(life.ledger, voice, START + HOUR) == 1
    assert await end_over(life.ledger, voice, START + HOUR) == 0
    assert await life.deliver(START + HOUR) == [f"Silence {number} is over: rule late"]
    [silence] = await life.ledger.silences(5)
    assert (silence.ended_at, silence.ended_by) == (START + HOUR, "smm-rules")


async def test_silences_that_overlap_keep_back_until_the_last_has_ended(life: Life) -> None:
    await life.silence(HOUR)
    await life.tell(1)
    await life.deliver(START)
    await life.silence(2 * HOUR)
    assert await life.deliver(START + HOUR) == []
    assert await life.deliver(START + 2 * HOUR) == ["order 1 fired"]


# -- acknowledgement and escalation -------------------------------------------------------------------------
async def test_nobody_else_is_told_of_what_is_acknowledged(life: Life) -> None:
    await life.tell(1)
    await life.tell(1, Telling.ESCALATED, channel="boss", delay=HOUR)
    await life.deliver(START)
    await life.acknowledge()
    assert await life.deliver(START + HOUR) == []
    assert await life.whys() == ["sent", "acknowledged"]


async def test_what_nobody_acknowledges_goes_to_the_next_channel(life: Life) -> None:
    await life.tell(1)
    await life.tell(1, Telling.ESCALATED, channel="boss", delay=HOUR)
    assert await life.deliver(START) == ["order 1 fired"]
    assert await life.deliver(START + HOUR - MINUTE) == []
    assert await life.deliver(START + HOUR) == ["order 1 escalated"]
    assert [message.body for message in life.boss.sent] == ["order 1 escalated"]


async def test_whoever_it_was_escalated_to_hears_of_its_end(life: Life) -> None:
    await life.tell(1)
    await life.tell(1, Telling.ESCALATED, channel="boss", delay=HOUR)
    await life.deliver(START)
    await life.deliver(START + HOUR)
    await life.tell(1, Telling.RESOLVED, START + 2 * HOUR)
    await life.deliver(START + 2 * HOUR)
    assert [message.body for message in life.boss.sent] == ["order 1 escalated", "order 1 resolved"]
    assert [message.body for message in life.ops.sent] == ["order 1 fired", "order 1 resolved"]


async def test_its_end_is_told_once_where_the_rule_tells_it_itself(life: Life) -> None:
    await life.tell(1)
    await life.tell(1, Telling.ESCALATED, channel="boss", delay=HOUR)
    await life.deliver(START)
    await life.deliver(START + HOUR)
    for channel in ("ops", "boss"):
        await life.tell(1, Telling.RESOLVED, START + 2 * HOUR, channel)
    await life.deliver(START + 2 * HOUR)
    assert [message.body for message in life.boss.sent] == ["order 1 escalated", "order 1 resolved"]


async def test_whoever_it_was_never_escalated_to_hears_nothing_of_its_end(life: Life) -> None:
    await life.tell(1)
    await life.tell(1, Telling.ESCALATED, channel="boss", delay=HOUR)
    await life.deliver(START)
    await life.acknowledge()
    await life.tell(1, Telling.RESOLVED, START + MINUTE)
    assert await life.deliver(START + 2 * HOUR) == ["order 1 resolved"]
    assert life.boss.sent == []


async def test_what_is_over_escalates_no_more(life: Life) -> None:
    await life.tell(1)
    await life.tell(1, Telling.ESCALATED, channel="boss", delay=HOUR)
    await life.deliver(START)
    await life.tell(1, Telling.RESOLVED, START + MINUTE)
    assert await life.deliver(START + HOUR) == ["order 1 resolved"]
    assert life.boss.sent == []


async def test_an_acknowledged_alert_tells_its_end_but_reminds_no_more(life: Life) -> None:
    await life.tell(1)
    await life.deliver(START)
    await life.acknowledge()
    await life.tell(1, Telling.REMINDED, START + HOUR)
    assert await life.deliver(START + HOUR) == []
    await life.tell(1, Telling.RESOLVED, START + 2 * HOUR)
    assert await life.deliver(START + 2 * HOUR) == ["order 1 resolved"]
    [alert] = await life.ledger.alerts([], 5)
    assert alert.state is AlertState.RESOLVED


# -- inhibition ---------------------------------------------------------------------------------------------
async def test_an_alert_waits_while_another_explains_it(life: Life) -> None:
    life.policy = AlertPolicy(
        AlertSettings.model_validate({"inhibit": [{"if": {"rule": "down"}, "silences": {"kind": "order"}}]})
    )
    await life.tell(9, rule="down")
    await life.tell(1)
    assert await life.deliver(START) == ["order 9 fired"]
    assert await life.deliver(START + MINUTE) == []
    assert await life.whys(MessageState.PENDING) == ["inhibited"]
    await life.tell(9, Telling.RESOLVED, START + HOUR, rule="down")
    assert sorted(await life.deliver(START + HOUR)) == ["order 1 fired", "order 9 resolved"]


async def test_orders_wait_for_a_panel_that_cannot_be_read(life: Life) -> None:
    down = {"north"}
    life.policy = AlertPolicy(outages=lambda: frozenset(down))
    await life.tell(1)
    assert await life.deliver(START) == []
    down.clear()
    assert await life.deliver(START + MINUTE) == ["order 1 fired"]


async def test_waiting_on_is_counted_and_told_once(life: Life) -> None:
    life.policy = AlertPolicy(outages=lambda: frozenset({"north"}))
    await life.tell(1)
    for minutes in range(5):
        await life.deliver(START + minutes * MINUTE)
    assert life.counters.value("messages_kept_back", channel="ops", reason="inhibited") == 1


# -- quiet hours --------------------------------------------------------------------------------------------
async def test_what_still_goes_on_in_the_morning_is_told_in_the_morning(life: Life) -> None:
    life.policy = AlertPolicy(
        AlertSettings.model_validate({"quiet_hours": [{"channels": "ops", "from": "12:00", "to": "13:00"}]})
    )
    await life.tell(1)
    await life.tell(2)
    await life.tell(3, level="error")
    assert await life.deliver(START) == ["order 3 fired"]
    await life.tell(1, Telling.RESOLVED, START + MINUTE)
    assert await life.deliver(START + HOUR) == ["order 2 fired"]


# -- groups and rates ---------------------------------------------------------------------------------------
async def test_a_group_goes_out_as_one_and_then_rests(life: Life) -> None:
    life.policy = AlertPolicy(groups={"ops": GroupSettings(wait=MINUTE, interval=10 * MINUTE)})
    await life.tell(1)
    assert await life.deliver(START) == []
    await life.tell(2, at=START + MINUTE / 2)
    await life.tell(3, at=START + MINUTE / 2, rule="slow")
    assert await life.deliver(START + MINUTE / 2) == []
    assert await life.deliver(START + MINUTE) == ["2 alerts (late 2)"]
    assert await life.deliver(START + 2 * MINUTE) == ["order 3 fired"], "another rule is another group"
    await life.tell(4, at=START + 3 * MINUTE)
    assert await life.deliver(START + 5 * MINUTE) == []
    assert await life.deliver(START + 11 * MINUTE) == ["order 4 fired"]
    assert set(await life.whys(MessageState.DELIVERED)) == {"grouped", "sent"}


async def test_the_end_of_what_was_told_in_a_group_is_told(life: Life) -> None:
    life.policy = AlertPolicy(groups={"ops": GroupSettings(wait=MINUTE, interval=MINUTE)})
    await life.tell(1)
    await life.tell(2)
    await life.deliver(START)
    await life.deliver(START + MINUTE)
    for number in (1, 2):
        await life.tell(number, Telling.RESOLVED, START + HOUR)
    await life.deliver(START + HOUR)
    assert await life.deliver(START + HOUR + MINUTE) == ["2 alerts, 2 of them over (late 2)"]
    assert life.ops.sent[-1].body == "- over: order 1 resolved\n- over: order 2 resolved"


async def test_what_was_over_while_its_group_waited_is_not_told(life: Life) -> None:
    life.policy = AlertPolicy(groups={"ops": GroupSettings(wait=MINUTE)})
    await life.tell(1)
    await life.deliver(START)
    await life.tell(1, Telling.RESOLVED, START + MINUTE / 2)
    assert await life.deliver(START + HOUR) == []
    assert await life.whys() == ["resolved", "resolved"]


async def test_a_digest_that_failed_is_sent_again_under_its_key(life: Life) -> None:
    life.policy = AlertPolicy(groups={"ops": GroupSettings(wait=MINUTE)})

    def refuse(_: Message) -> None:
        raise DeliveryFailed("no route")

    life.ops.outcome = refuse
    await life.tell(1)
    await life.tell(2)
    await life.deliver(START)
    assert await life.deliver(START + MINUTE) == []
    life.ops.outcome = lambda _: None
    assert await life.deliver(START + 2 * MINUTE) == ["2 alerts (late 2)"]
    assert len(set(life.ops.tried)) == 1
    assert len(life.ops.tried) == 2


async def test_a_digest_shows_a_bounded_list(life: Life) -> None:
    await life.silence()
    for number in range(1, 41):
        await life.tell(number)
    await life.deliver(START)
    assert await life.deliver(START + HOUR) == ["40 alerts (late 40)"]
    lines = life.ops.sent[0].body.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 20 more: smm-rules alerts list"
    assert life.ops.sent[0].level == "warning"


async def test_more_than_a_batch_that_was_kept_back_is_one_message(life: Life) -> None:
    await life.silence()
    for number in range(1, 8):
        await life.tell(number)
    await life.deliver(START)
    await deliver_due(life.ledger, {"ops": life.ops}, START + HOUR, batch=2)
    assert [message.title for message in life.ops.sent] == ["7 alerts (late 7)"]


async def test_what_is_beyond_the_rate_comes_as_one_when_there_is_room(life: Life) -> None:
    life.policy = AlertPolicy(rates={"ops": Rate(2, HOUR)})
    for number in range(1, 6):
        await life.tell(number)
    assert await life.deliver(START) == ["order 1 fired", "order 2 fired"]
    assert await life.whys(MessageState.PENDING) == ["rate_limited"] * 3
    assert await life.deliver(START + HOUR - MINUTE) == []
    assert await life.deliver(START + HOUR) == ["3 alerts (late 3)"]
    await life.tell(6, at=START + HOUR)
    assert await life.deliver(START + HOUR) == ["order 6 fired"], "the three were one message"


# -- restarts -----------------------------------------------------------------------------------------------
async def test_a_restart_neither_floods_nor_forgets(tmp_path: Path) -> None:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as first:
        before = Life(first)
        before.policy = AlertPolicy(groups={"ops": GroupSettings(wait=MINUTE, interval=HOUR)})
        await before.tell(1)
        await before.deliver(START)
        assert await before.deliver(START + MINUTE) == ["order 1 fired"]
        await before.silence(10 * MINUTE)
        await before.tell(2, at=START + 2 * MINUTE)
        await before.tell(3, Telling.ESCALATED, START + 2 * MINUTE, "boss", delay=2 * HOUR, rule="slow")
        await before.deliver(START + 2 * MINUTE)
    async with await SqliteLedger.open(tmp_path / "ledger.db") as second:
        after = Life(second)
        after.policy = before.policy
        await second.take_up_kept_back(START + 3 * MINUTE)
        assert await after.deliver(START + 3 * MINUTE) == []
        assert await after.deliver(START + 30 * MINUTE) == [], "its group was sent 29 minutes ago"
        assert await after.deliver(START + MINUTE + HOUR) == ["order 2 fired"]
        assert await after.deliver(START + 2 * HOUR + 2 * MINUTE) == ["order 3 escalated"]


async def test_a_setting_that_is_gone_keeps_nothing_back_after_a_restart(life: Life) -> None:
    life.policy = AlertPolicy(
        AlertSettings.model_validate({"quiet_hours": [{"from": "12:00", "to": "13:00"}]})
    )
    await life.tell(1)
    await life.deliver(START)
    life.policy = AlertPolicy()
    await life.ledger.take_up_kept_back(START + MINUTE)
    assert await life.deliver(START + MINUTE) == ["order 1 fired"]
