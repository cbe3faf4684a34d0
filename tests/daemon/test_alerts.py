"""Alerts as the daemon tells them: through silences, escalation, outages and restarts."""

from __future__ import annotations

from smm_rules.ledger.alerts import AlertState, Matcher
from smm_rules.ledger.records import MessageState, QueuedMessage
from tests.daemon.household import HOUR, MINUTE, NO_RULES, Household, eventually

BY = "operator:ann"
RULES = """
rules:
  - name: late
    watch: order
    when: status == "Partial"
    first_seen: act
    escalate: {after: 1h, channel: boss}
    do: [{notify: {channel: ops, level: warning, message: "{{ order.id }} is partial"}}]
    done: [{notify: {channel: ops, message: "{{ order.id }} is over"}}]
"""
CHANNELS = "channels: {ops: {log: {}}, boss: {log: {}}}\noperator: {channel: ops}\n"


def alarmed(household: Household, settings: str = "") -> str:
    """A household with an order that the rule tells of; the order's number."""
    household.settings = CHANNELS + settings
    household.write_rules(RULES)
    return household.panel.add_order(4, status="Partial", remains=5)


async def of_alerts(household: Household, *states: MessageState) -> list[QueuedMessage]:
    """The messages of alerts, the oldest first."""
    return [one for one in reversed(await household.ledger.messages(states, 100)) if one.alert]


async def told(household: Household) -> list[tuple[str, str]]:
    """What was delivered of alerts: how and where."""
    delivered = await of_alerts(household, MessageState.DELIVERED)
    return sorted((one.telling, one.channel) for one in delivered)


async def waiting(household: Household, why: str, count: int) -> bool:
    found = [one.why for one in await of_alerts(household, MessageState.PENDING)]
    return found.count(why) == count


async def test_an_alert_is_told_escalated_and_resolved(household: Household) -> None:
    name = alarmed(household)
    await household.track(name)
    async with household.living():
        await eventually(lambda: _is(household, ("fired", "ops")))
        household.clock.move(HOUR)
        await eventually(lambda: _is(household, ("fired", "ops"), ("escalated", "boss")))
        household.panel.set_status(name, "Completed")
        household.clock.move(HOUR)
        both = (("resolved", "ops"), ("resolved", "boss"))
        await eventually(lambda: _is(household, ("fired", "ops"), ("escalated", "boss"), *both))
    [alert] = await household.ledger.alerts((), 5)
    assert alert.state is AlertState.RESOLVED


async def test_what_is_acknowledged_is_escalated_to_nobody(household: Household) -> None:
    name = alarmed(household)
    await household.track(name)
    async with household.living():
        await eventually(lambda: _is(household, ("fired", "ops")))
        [alert] = await household.ledger.alerts((), 5)
        await household.ledger.acknowledge(alert.id, BY, "on it", household.clock.now())
        household.clock.move(HOUR)
        await eventually(lambda: of_alerts(household, MessageState.SUPPRESSED))
    [suppressed] = await of_alerts(household, MessageState.SUPPRESSED)
    assert (suppressed.telling, suppressed.why) == ("escalated", "acknowledged")
    assert await told(household) == [("fired", "ops")]


async def test_a_silence_outlives_restarts_and_what_still_goes_on_is_told_after_it(
    household: Household,
) -> None:
    names = [alarmed(household), household.panel.add_order(4, status="Partial", remains=5)]
    await household.track(*names)
    now = household.clock.now()
    await household.ledger.add_silence(Matcher(rule="late"), "known", BY, now, now + 10 * MINUTE)
    for _ in range(2):
        async with household.living():
            await eventually(lambda: waiting(household, "silenced", 2))
        assert await told(household) == []
    household.clock.move(10 * MINUTE)
    async with household.living():
        await eventually(lambda: _is(household, ("fired", "ops"), ("fired", "ops")))
        await eventually(lambda: _operator_told(household, "silence_over"))
    async with household.living():
        household.clock.move(10 * MINUTE)
        await eventually(lambda: household.seen(names[0]))
    assert await told(household) == [("fired", "ops"), ("fired", "ops")]
    assert {one.why for one in await of_alerts(household, MessageState.DELIVERED)} == {"grouped"}


async def test_quiet_hours_of_the_configuration_are_kept(household: Household) -> None:
    hour = household.clock.now()
    begins, ends = (hour - HOUR).strftime("%H:%M"), (hour + HOUR).strftime("%H:%M")
    quiet = f'alerts: {{quiet_hours: [{{channels: ops, from: "{begins}", to: "{ends}"}}]}}\n'
    name = alarmed(household, quiet)
    await household.track(name)
    async with household.living():
        await eventually(lambda: waiting(household, "quiet_hours", 1))
    household.settings = CHANNELS
    async with household.living():
        await eventually(lambda: _is(household, ("fired", "ops")))


async def test_orders_of_a_panel_that_went_silent_wait_until_it_answers(household: Household) -> None:
    name = alarmed(household)
    await household.track(name)
    now = household.clock.now()
    silence = await household.ledger.add_silence(Matcher(rule="late"), "known", BY, now, now + 9 * HOUR)
    async with household.living():
        await eventually(lambda: waiting(household, "silenced", 1))
    household.mended = lambda text: text.replace("key: {env: PANEL_KEY}", "key: {env: WRONG}")
    household.environment["WRONG"] = "no-such-key-000"
    household.clock.move(HOUR)  # everything is due again
    async with household.living() as daemon:
        for number in range(1, 4):
            await eventually(lambda: daemon.counters.value("polls_failed", what="balance") >= number)  # noqa: B023
            household.clock.move(10 * MINUTE)
        await eventually(lambda: _operator_told(household, "poll_failing"))
        await household.ledger.end_silence(silence.id, household.clock.now(), BY)
        await eventually(lambda: waiting(household, "inhibited", 2))
    household.mended = lambda text: text
    async with household.living():
        await eventually(lambda: _operator_told(household, "poll_recovered"))
        household.clock.move(MINUTE)
        await eventually(lambda: _is(household, ("fired", "ops"), ("escalated", "boss")))


async def _is(household: Household, *expected: tuple[str, str]) -> bool:
    return await told(household) == sorted(expected)


async def _operator_told(household: Household, what: str) -> bool:
    return what in await household.operator_told()


async def test_the_alerts_of_a_removed_rule_end_at_the_reload(household: Household) -> None:
    name = alarmed(household)
    await household.track(name)
    async with household.living() as daemon:
        await eventually(lambda: _is(household, ("fired", "ops")))
        household.write_rules(NO_RULES)
        daemon.reload()
        await eventually(lambda: _is_ended(household))
        await eventually(lambda: _told_of_the_end(household))
        household.write_rules(RULES)
        daemon.reload()
        await eventually(lambda: _goes_on(household))
    assert await told(household) == [("fired", "ops")]


async def test_the_alerts_of_a_rule_that_was_removed_meanwhile_end_at_the_start_and_once(
    household: Household,
) -> None:
    name = alarmed(household)
    await household.track(name)
    async with household.living():
        await eventually(lambda: _is(household, ("fired", "ops")))
    household.write_rules(NO_RULES)
    for _ in range(2):
        async with household.living():
            await eventually(lambda: _told_of_the_end(household))
    [notice] = [one for one in await household.ledger.messages((), 100) if one.title.startswith("Over: ")]
    assert (notice.title, notice.channel) == ("Over: 1 alert of rule late", "ops")
    assert notice.body.startswith("Rule late was removed. ")


async def _is_ended(household: Household) -> bool:
    return [one.state for one in await household.ledger.alerts((), 5)] == [AlertState.RESOLVED]


async def _goes_on(household: Household) -> bool:
    return [one.state for one in await household.ledger.alerts((), 5)] == [AlertState.FIRING]


async def _told_of_the_end(household: Household) -> bool:
    delivered = await household.ledger.messages((MessageState.DELIVERED,), 100)
    return any(one.title.startswith("Over: ") for one in delivered)
