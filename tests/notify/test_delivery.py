"""The outbox worker: at least once, in order, and nothing held up by a message or channel that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from smm_rules.ledger.records import MessageState
from smm_rules.notify.channel import JSON_BODY, DeliveryFailed, Message
from smm_rules.notify.delivery import (
    DEFERRED_BUSY,
    DEFERRED_FAILING,
    FIRST_DELAY,
    LONGEST_DELAY,
    MOST_ATTEMPTS,
    DeliveryReport,
    deliver_due,
    next_attempt,
)
from smm_rules.observe import Counters, correlation_of
from smm_rules.rules.model import StepKind
from tests.notify.outbox import START, FakeChannel, MemoryOutbox, queued


def failing(*keys: str, error: Exception | None = None) -> Callable[[Message], None]:
    """Raise for these messages, or for all when none is named."""

    def outcome(message: Message) -> None:
        if not keys or message.key in keys:
            raise error or DeliveryFailed("receiver is down")

    return outcome


async def run_until_settled(outbox: MemoryOutbox, channels: dict[str, FakeChannel]) -> list[datetime]:
    """Run whenever a message is due until none is pending; the times of the runs."""
    times = []
    while pending := [one for one in outbox.messages.values() if one.state is MessageState.PENDING]:
        now = min(message.next_attempt_at for message in pending)
        times.append(now)
        await deliver_due(outbox, channels, now)
        assert len(times) < 1000
    return times


async def test_messages_are_handed_over_in_order_and_noted() -> None:
    outbox, channel = MemoryOutbox(queued(2), queued(1), queued(3, level="error")), FakeChannel()
    report = await deliver_due(outbox, {"ops": channel}, START)
    assert report == DeliveryReport(delivered=3)
    assert channel.sent == [
        Message("key-1", "title 1", "body 1"),
        Message("key-2", "title 2", "body 2"),
        Message("key-3", "title 3", "body 3", "error"),
    ]
    assert outbox.states() == {1: "delivered", 2: "delivered", 3: "delivered"}


async def test_nothing_is_handed_over_again_later() -> None:
    outbox, channel = MemoryOutbox(queued(1)), FakeChannel()
    await deliver_due(outbox, {"ops": channel}, START)
    assert await deliver_due(outbox, {"ops": channel}, START + timedelta(days=1)) == DeliveryReport()
    assert channel.tried == ["key-1"]


async def test_a_message_listed_twice_is_handed_over_once() -> None:
    class Stuttering(MemoryOutbox):
        async def deliverable(self, now, limit):  # type: ignore[no-untyped-def] # as above
            return 2 * await super().deliverable(now, limit)

    channel = FakeChannel()
    await deliver_due(Stuttering(queued(1)), {"ops": channel}, START)
    assert channel.tried == ["key-1"]


async def test_a_webhook_step_is_handed_over_as_json() -> None:
    outbox, channel = MemoryOutbox(queued(1, kind=StepKind.WEBHOOK, title="", body="{}")), FakeChannel()
    await deliver_due(outbox, {"ops": channel}, START)
    assert channel.sent == [Message("key-1", "", "{}", media_type=JSON_BODY)]


async def test_no_more_than_the_batch_is_taken() -> None:
    outbox, channel = MemoryOutbox(queued(1), queued(2), queued(3)), FakeChannel()
    report = await deliver_due(outbox, {"ops": channel}, START, batch=2)
    assert (report.delivered, report.full) == (2, True)
    assert (await deliver_due(outbox, {"ops": channel}, START, batch=2)).full is False


@pytest.mark.parametrize(
    ("level", "written"),
    [("debug", "debug"), ("info", "info"), ("warning", "warning"), ("error", "error"), ("odd", "info")],
)
async def test_a_log_message_becomes_an_event_of_its_level(level: str, written: str) -> None:
    outbox = MemoryOutbox(queued(1, kind=StepKind.LOG, channel="", level=level))
    with capture_logs() as logs:
        report = await deliver_due(outbox, {}, START)
    assert report.delivered == 1
    assert logs[0] == {
        "event": "rule.log",
        "log_level": written,
        "message": "body 1",
        "title": "title 1",
        "dedup_key": "key-1",
    }


# -- failures -----------------------------------------------------------------------------------------------
async def test_a_failed_message_is_tried_again_later_and_the_others_go_on() -> None:
    outbox, channel = MemoryOutbox(queued(1), queued(2)), FakeChannel(outcome=failing("key-1"))
    report = await deliver_due(outbox, {"ops": channel}, START)
    assert report == DeliveryReport(delivered=1, retried=1)
    failed = outbox.messages[1]
    assert (failed.state, failed.attempts, failed.last_error) == (MessageState.PENDING, 1, "receiver is down")
    assert failed.next_attempt_at == START + timedelta(seconds=30)
    assert outbox.states()[2] == "delivered"


async def test_whatever_a_channel_raises_stays_with_the_message() -> None:
    channel = FakeChannel(outcome=failing("key-1", error=RuntimeError("https://user:cAnary@host")))
    outbox = MemoryOutbox(queued(1), queued(2))
    with capture_logs() as logs:
        report = await deliver_due(outbox, {"ops": channel}, START)
    assert report == DeliveryReport(delivered=1, retried=1)
    assert outbox.messages[1].last_error == "the channel failed with RuntimeError"
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["channel.raised"]


async def test_the_schedule_doubles_up_to_an_hour_and_ends_with_the_twelfth_attempt() -> None:
    outbox, channel = MemoryOutbox(queued(1)), FakeChannel(outcome=failing())
    times = await run_until_settled(outbox, {"ops": channel})
    gaps = [int((later - earlier).total_seconds()) for earlier, later in pairwise(times)]
    assert gaps == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600]
    assert len(channel.tried) == MOST_ATTEMPTS
    assert outbox.states() == {1: "dead"}


@given(st.integers(1, 10_000), st.none() | st.timedeltas(timedelta(), timedelta(days=1)))
def test_the_next_attempt_is_never_sooner_than_asked_nor_later_than_need_be(
    attempts: int, asked: timedelta | None
) -> None:
    delay = next_attempt(attempts, START, asked) - START
    assert max(FIRST_DELAY, asked or FIRST_DELAY) <= delay <= max(LONGEST_DELAY, asked or LONGEST_DELAY)


async def test_the_receivers_wish_to_wait_is_honoured() -> None:
    busy = DeliveryFailed("busy", retry_after=timedelta(hours=3))
    outbox = MemoryOutbox(queued(1))
    await deliver_due(outbox, {"ops": FakeChannel(outcome=failing(error=busy))}, START)
    assert outbox.messages[1].next_attempt_at == START + timedelta(hours=3)


async def test_a_permanent_failure_is_dead_at_once_and_reported() -> None:
    refused = DeliveryFailed("no such room", permanent=True)
    outbox, counters = MemoryOutbox(queued(1), queued(2)), Counters()
    channel = FakeChannel(outcome=failing("key-1", error=refused))
    with capture_logs() as logs:
        report = await deliver_due(outbox, {"ops": channel}, START, counters=counters)
    assert report.dead == (outbox.messages[1],)
    assert (outbox.messages[1].attempts, outbox.messages[1].last_error) == (1, "no such room")
    assert outbox.states() == {1: "dead", 2: "delivered"}
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["message.dead"]
    assert counters.value("deliveries", channel="ops", outcome="dead") == 1
    assert counters.value("deliveries", outcome="delivered") == 1


async def test_a_channel_that_is_gone_may_come_back() -> None:
    outbox = MemoryOutbox(queued(1, channel="gone"), queued(2))
    await deliver_due(outbox, {"ops": FakeChannel()}, START)
    assert outbox.messages[1].last_error == 'there is no channel "gone" in the configuration'
    back = FakeChannel("gone")
    await deliver_due(outbox, {"gone": back}, START + timedelta(minutes=1))
    assert (outbox.states(), back.tried) == ({1: "delivered", 2: "delivered"}, ["key-1"])


async def test_a_channel_that_stays_gone_ends_in_dead_letters() -> None:
    outbox = MemoryOutbox(*(queued(number, channel="gone") for number in range(6)))
    await run_until_settled(outbox, {})
    assert set(outbox.states().values()) == {"dead"}


# -- a channel that is down ---------------------------------------------------------------------------------
async def test_a_dead_channel_costs_three_tries_a_run() -> None:
    outbox = MemoryOutbox(*(queued(number) for number in range(10)))
    channel = FakeChannel(outcome=failing())
    report = await deliver_due(outbox, {"ops": channel}, START)
    assert (report.retried, report.deferred, channel.tried) == (3, 7, ["key-0", "key-1", "key-2"])
    assert {message.last_error for message in list(outbox.messages.values())[3:]} == {DEFERRED_FAILING}


async def test_poison_messages_do_not_stop_those_behind_them() -> None:
    poison = [f"key-{number}" for number in range(5)]
    outbox = MemoryOutbox(*(queued(number) for number in range(20)))
    channel = FakeChannel(outcome=failing(*poison))
    await run_until_settled(outbox, {"ops": channel})
    assert [message.key for message in channel.sent] == [f"key-{number}" for number in range(5, 20)]
    assert {number for number, state in outbox.states().items() if state == "dead"} == set(range(5))


async def test_the_backlog_of_a_dead_channel_does_not_stand_before_another() -> None:
    outbox = MemoryOutbox(*(queued(number, "dead") for number in range(50)), queued(99))
    channels = {"dead": FakeChannel("dead", failing()), "ops": FakeChannel()}
    runs = 0
    while outbox.states()[99] == "pending":
        await deliver_due(outbox, channels, START, batch=10)
        runs += 1
    assert runs <= 6


async def test_a_message_that_was_only_put_off_never_dies_of_it() -> None:
    outbox = MemoryOutbox(*(queued(number, attempts=40) for number in range(5)))
    report = await deliver_due(outbox, {"ops": FakeChannel(outcome=failing())}, START)
    assert (len(report.dead), report.deferred) == (3, 2)
    assert (await deliver_due(outbox, {"ops": FakeChannel()}, START + timedelta(hours=1))).delivered == 2


async def test_a_slow_channel_leaves_the_rest_for_another_run() -> None:
    clock = iter([0.0, 0.0, 40.0, 80.0])
    outbox, channel = MemoryOutbox(queued(1), queued(2), queued(3)), FakeChannel()
    report = await deliver_due(outbox, {"ops": channel}, START, monotonic=lambda: next(clock))
    assert (report.delivered, report.deferred, channel.tried) == (2, 1, ["key-1", "key-2"])
    assert outbox.messages[3].last_error == DEFERRED_BUSY
    assert outbox.messages[3].next_attempt_at == START + FIRST_DELAY


async def test_channels_work_side_by_side() -> None:
    slow = FakeChannel("slow", gate=asyncio.Event())
    outbox = MemoryOutbox(queued(1, "slow"), queued(2, "slow"), queued(3, "quick"))
    quick_done = asyncio.Event()
    quick = FakeChannel("quick", lambda _: quick_done.set())
    run = asyncio.create_task(deliver_due(outbox, {"slow": slow, "quick": quick}, START))
    await quick_done.wait()
    assert slow.tried == ["key-1"]
    assert slow.gate is not None
    slow.gate.set()
    assert (await run).delivered == 3


# -- the ledger ---------------------------------------------------------------------------------------------
async def test_a_crash_after_handing_over_repeats_the_same_key() -> None:
    class Dying(MemoryOutbox):
        dies = True

        async def delivered(self, message_id: int, now: datetime) -> None:
            if self.dies:
                raise OSError("disk full")
            await super().delivered(message_id, now)

    outbox, channel = Dying(queued(1)), FakeChannel()
    with pytest.raises(OSError, match="disk full"):
        await deliver_due(outbox, {"ops": channel}, START)
    outbox.dies = False
    await deliver_due(outbox, {"ops": channel}, START)
    assert [message.key for message in channel.sent] == ["key-1", "key-1"]


async def test_a_failing_ledger_does_not_cut_off_a_send_under_way() -> None:
    class Failing(MemoryOutbox):
        async def delivered(self, message_id: int, now: datetime) -> None:
            if message_id == 1:
                slow_gate.set()
                raise OSError("disk full")
            await super().delivered(message_id, now)

    slow_gate = asyncio.Event()
    outbox = Failing(queued(1, "quick"), queued(2, "slow"))
    channels = {"quick": FakeChannel("quick"), "slow": FakeChannel("slow", gate=slow_gate)}
    with pytest.raises(OSError, match="disk full"):
        await deliver_due(outbox, channels, START)
    assert outbox.states() == {1: "pending", 2: "delivered"}


async def test_being_stopped_leaves_the_message_pending() -> None:
    begun = asyncio.Event()

    class Waiting(FakeChannel):
        async def send(self, message: Message) -> None:
            begun.set()
            await asyncio.Event().wait()

    outbox = MemoryOutbox(queued(1))
    run = asyncio.create_task(deliver_due(outbox, {"ops": Waiting()}, START))
    await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (outbox.states(), outbox.messages[1].attempts) == ({1: "pending"}, 0)


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "gone"]), st.integers(0, 15), st.booleans()), max_size=12)
)
def test_every_message_ends_delivered_once_or_dead(plan: list[tuple[str, int, bool]]) -> None:
    """Whatever fails however often, a message is delivered exactly once, or dead and never delivered."""

    async def play() -> None:
        outbox = MemoryOutbox(*(queued(number, channel) for number, (channel, _, _) in enumerate(plan)))
        left = {f"key-{number}": failures for number, (_, failures, _) in enumerate(plan)}
        permanent = {f"key-{number}": forever for number, (_, _, forever) in enumerate(plan)}

        def outcome(message: Message) -> None:
            left[message.key] -= 1
            if left[message.key] >= 0:
                raise DeliveryFailed("no", permanent=permanent[message.key])

        channels = {name: FakeChannel(name, outcome) for name in ("a", "b")}
        await run_until_settled(outbox, channels)
        sent = sorted(message.key for channel in channels.values() for message in channel.sent)
        kept = sorted(f"key-{number}" for number, state in outbox.states().items() if state == "delivered")
        faultless = {f"key-{number}" for number, (_, failures, _) in enumerate(plan) if failures == 0}
        assert sent == kept
        assert {key for key in kept if permanent[key]} <= faultless

    asyncio.run(play())


async def test_a_message_is_logged_with_the_correlation_of_the_episode_it_tells_of() -> None:
    key = "top-up:order/north/7:2026-03-01T12:00:00+00:00:fired:0:do.1"
    outbox = MemoryOutbox(
        queued(1, dedup_key=key), queued(2, dedup_key="operator:unknown:5"), queued(3, dedup_key="other")
    )
    with capture_logs() as logs:
        await deliver_due(outbox, {"ops": FakeChannel(outcome=failing("operator:unknown:5"))}, START)
    told = [(line["event"], line.get("correlation"), line.get("intent")) for line in logs]
    assert told == [
        ("message.delivered", correlation_of("top-up", "order/north/7", START), None),
        ("message.delivery_failed", None, 5),
        ("message.delivered", None, None),
    ]
