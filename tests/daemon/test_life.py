"""The daemon's life: what it does while it runs, how it stops, and how it comes back."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from smm_rules.document.problem import DocumentError
from smm_rules.engine.firing import IntentDraft, MessageDraft
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import IntentState, MessageState
from smm_rules.notify.signature import HEADER, verify
from smm_rules.rules.model import StepKind
from smm_rules.simulator import Fault
from tests.daemon.household import HOOK_SECRET, HOUR, MINUTE, PANEL, REFILL, Household, eventually, order
from tests.notify.receiver import answering, receiving

LOW = """
rules:
  - name: low
    watch: balance
    when: amount < 200
    do:
      - notify: {channel: hook, title: Low, message: "{{ panel.name }}: {{ amount }}"}
      - webhook: {channel: hook, data: {panel: "{{ panel.name }}"}}
      - log: {message: "only {{ amount }}", level: warning}
"""
HOOK_CHANNEL = "channels: {{hook: {{webhook: {{url: '{url}', secret: {{env: HOOK_SECRET}}}}}}}}\n"
REORDER = """
rules:
  - name: again
    watch: order
    when: status == "Canceled"
    first_seen: act
    do: [reorder]
    limit: {per_chain: 1}
"""


async def test_a_partial_order_is_refilled_at_the_end_of_its_hold(household: Household) -> None:
    household.write_rules(REFILL)
    name = household.panel.add_order(4, status="Partial", remains=157)
    await household.track(name)
    async with household.living():
        await eventually(lambda: household.holding(name))
        household.clock.move(10 * MINUTE - timedelta(seconds=1))
        asked = len(household.panel.journal.requests("balance"))
        household.clock.move(timedelta(seconds=1))
        await eventually(lambda: household.panel.journal.refills_made())
        await eventually(lambda: household.intents(IntentState.CONFIRMED))
    assert asked == 1
    assert [entry.order for entry in household.panel.journal.refills_made()] == [name]
    assert f"refill 1 of {name}" in await household.bodies()


async def test_nothing_is_done_before_the_end_of_a_hold(household: Household) -> None:
    household.write_rules(REFILL)
    name = household.panel.add_order(4, status="Partial", remains=157)
    await household.track(name)
    async with household.living():
        await eventually(lambda: household.holding(name))
        household.clock.move(10 * MINUTE - timedelta(seconds=1))
        # An order that is due now shows that the sweep has passed.
        other = household.panel.add_order(4, status="Completed")
        await household.track(other)
        await eventually(lambda: household.seen(other))
    assert household.panel.journal.refills_made() == ()


async def test_messages_reach_a_real_receiver_signed(household: Household) -> None:
    household.write_rules(LOW)
    async with receiving(lambda _: answering(204)) as receiver:
        household.settings = HOOK_CHANNEL.format(url=receiver.url("/hook"))
        with capture_logs() as logs:
            async with household.living():
                await eventually(lambda: len(receiver.received) == 2)
                await eventually(lambda: [line for line in logs if line["event"] == "rule.log"])
                await eventually(lambda: _all_delivered(household))
    bodies = [json.loads(request.body) for request in receiver.received]
    assert sorted(str(body.get("body", body.get("data"))) for body in bodies) == [
        f"{PANEL}: 100.00000",
        str({"panel": PANEL}),
    ]
    for request in receiver.received:
        verify(HOOK_SECRET, request.headers[HEADER.lower()], request.body, household.clock.now())
    (line,) = [line for line in logs if line["event"] == "rule.log"]
    assert (line["message"], line["log_level"]) == ("only 100.00000", "warning")


async def _all_delivered(household: Household) -> bool:
    messages = await household.ledger.messages((), 100)
    return bool(messages) and all(message.state is MessageState.DELIVERED for message in messages)


async def test_a_dropped_file_is_imported_while_the_daemon_runs(household: Household) -> None:
    household.settings += "drop_folder: inbox\n"
    inbox = household.directory / "inbox"
    name = household.panel.add_order(status="In progress", remains=5)
    async with household.living():
        await eventually((inbox / "done").exists)
        (inbox / "orders.csv").write_text(f"order,service\n{name},1\n", encoding="utf-8")
        await eventually(lambda: household.seen(name))
        await eventually((inbox / "done" / "orders.csv").exists)


async def test_history_older_than_the_retention_is_dropped_at_the_start(household: Household) -> None:
    name = household.panel.add_order(status="In progress", remains=500)
    await household.track(name)
    async with household.living():
        await eventually(lambda: household.seen(name))
        household.panel.set_status(name, "In progress", 400)
        household.clock.move(HOUR)
        await eventually(lambda: _remains(household, name, 400))
    household.clock.move(timedelta(days=100))
    async with household.living():
        await eventually(lambda: _pruned_to_one(household, name))


async def _remains(household: Household, name: str, remains: int) -> bool:
    watched = await household.ledger.watched(order(name))
    return watched is not None and watched.facts.get("remains") == remains


async def _pruned_to_one(household: Household, name: str) -> bool:
    now = household.clock.now()
    seen = await household.ledger.history(order(name), now - timedelta(days=200), now, 10)
    return len(seen) == 1


async def test_a_stop_while_an_order_hangs_leaves_it_in_doubt_and_the_next_start_tells_nothing_twice(
    household: Household,
) -> None:
    household.write_rules(REORDER)
    name = household.panel.add_order(status="Canceled")
    await household.track(name)
    household.panel.faults.next("add", Fault.HANG_AFTER_EFFECT)
    with capture_logs() as logs:
        async with household.living() as daemon:
            await eventually(lambda: household.panel.journal.orders_made())
            daemon.stop()
    assert await household.intents() == [("again", name, "unknown")]
    assert [line["drained"] for line in logs if line["event"] == "daemon.stopped"] == [False]
    assert [line["under_way"] for line in logs if line["event"] == "daemon.drain_timed_out"] == [["actions"]]
    assert [line["event"] for line in logs if line["event"] == "job.raised"] == []
    assert await household.operator_told() == ["unknown"]
    household.clock.move(MINUTE)
    async with household.living():
        # The balance is evidence, so the reading of it shows that the daemon has looked around.
        await eventually(lambda: _has_evidence(household))
    assert await household.operator_told() == ["unknown"]
    assert len(household.panel.journal.orders_made()) == 1


async def _has_evidence(household: Household) -> bool:
    (intent,) = await household.ledger.intents((), 10)
    return "balance_after" in intent.evidence


async def test_what_was_being_sent_when_the_last_daemon_died_is_in_doubt(household: Household) -> None:
    intent = await _claimed(household, by="daemon")
    with capture_logs() as logs:
        async with household.living():
            assert (await household.intents())[0][2] == "unknown"
    assert [line["intent"] for line in logs if line["event"] == "intent.in_doubt"] == [intent]
    assert await household.operator_told() == ["unknown"]


async def test_a_commands_claim_is_in_doubt_when_it_is_stale_while_the_daemon_runs(
    household: Household,
) -> None:
    await _claimed(household, by="command:1")
    async with household.living():
        assert (await household.intents())[0][2] == "sending"
        household.clock.move(16 * MINUTE)
        await eventually(lambda: household.intents(IntentState.UNKNOWN))
        await eventually(household.operator_told)
    assert await household.operator_told() == ["unknown"]


async def _claimed(household: Household, by: str) -> int:
    """An action that its process claimed and never settled."""
    draft = IntentDraft("do.0", StepKind.REFILL, PANEL, {"order": "1"})
    intent = await household.ledger.ask(draft, order("1"), household.clock.now(), "operator")
    assert await household.ledger.claim(intent.id, by, household.clock.now(), {})
    return intent.id


async def test_a_second_daemon_is_refused(household: Household) -> None:
    async with household.living():
        with pytest.raises(LedgerError, match="another daemon"):
            await household.daemon().run()
    async with household.living():
        pass  # the lock went with the first


async def test_faulty_rules_are_an_error_before_anything_is_done(household: Household) -> None:
    household.write_rules(REFILL.replace("remains", "remians"))
    with pytest.raises(DocumentError, match="remians"):
        await household.daemon().run()
    assert household.panel.journal.requests() == ()


async def test_dead_letters_of_before_are_told_at_the_start_once(household: Household) -> None:
    draft = MessageDraft("low:1", StepKind.NOTIFY, "gone", "", "lost")
    await household.ledger.enqueue(draft, household.clock.now())
    (message,) = await household.ledger.messages((), 10)
    await household.ledger.undelivered(message.id, "refused", None, household.clock.now())
    for _ in range(2):
        async with household.living():
            pass
    assert await household.operator_told() == ["dead"]


async def test_a_dry_run_sends_nothing(household: Household) -> None:
    household.settings += "mode: dry_run\n"
    household.write_rules(REORDER)
    name = household.panel.add_order(status="Canceled")
    await household.track(name)
    async with household.living():
        await eventually(lambda: household.intents(IntentState.HELD))
    assert household.panel.journal.orders_made() == ()


async def test_an_outage_over_a_restart_is_told_once_and_so_is_its_end(household: Household) -> None:
    # A wrong key is rejected at once: what a panel answers in words is not asked again by itself.
    household.mended = lambda text: text.replace("key: {env: PANEL_KEY}", "key: {env: WRONG}")
    household.environment["WRONG"] = "no-such-key-000"

    async def failures(count: int, daemon: object) -> None:
        await eventually(lambda: daemon.counters.value("polls_failed", what="balance") >= count)  # type: ignore[attr-defined]

    async with household.living() as daemon:
        for number in range(1, 4):
            await failures(number, daemon)
            household.clock.move(10 * MINUTE)
        await eventually(lambda: _told(household, "poll_failing", 2))
    async with household.living() as daemon:
        await failures(1, daemon)
        household.clock.move(10 * MINUTE)
        await failures(2, daemon)
    assert (await household.operator_told()).count("poll_failing") == 2  # balance and catalogue, once each
    household.mended = lambda text: text
    async with household.living():
        await eventually(lambda: _told(household, "poll_recovered", 2))
    told = await household.operator_told()
    assert (told.count("poll_failing"), told.count("poll_recovered")) == (2, 2)


async def _told(household: Household, what: str, times: int) -> bool:
    return (await household.operator_told()).count(what) >= times


async def test_cancelling_the_daemon_drains_it_as_well(household: Household) -> None:
    daemon = household.daemon()
    running = asyncio.create_task(daemon.run())
    await daemon.started.wait()
    running.cancel()
    with capture_logs() as logs, pytest.raises(asyncio.CancelledError):
        await running
    events = [line["event"] for line in logs if line["event"].startswith("daemon.")]
    assert events == ["daemon.stopping", "daemon.stopped"]
    async with household.living():
        pass
