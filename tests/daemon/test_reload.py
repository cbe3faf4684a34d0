"""Reloads: whole or not at all, what holds and what doesn't, and rules changed while nobody looked."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.sqlite import SqliteLedger
from tests.daemon.household import MINUTE, NO_RULES, REFILL, Household, eventually, order

LONG = REFILL.replace("for: 10m", "for: 20m")
OTHER = """
  - name: other
    watch: order
    when: remains > 100
    for: 20m
    do: [{log: {message: "other {{ order.id }}"}}]
"""


async def holding_order(household: Household, rules: str) -> str:
    """An order whose holds are to begin when the daemon looks."""
    household.write_rules(rules)
    name = household.panel.add_order(4, status="Partial", remains=157)
    await household.track(name)
    return name


async def reloads(daemon: object, result: str, times: int = 1) -> None:
    await eventually(lambda: daemon.counters.value("reloads", result=result) >= times)  # type: ignore[attr-defined]


async def test_an_edited_hold_applies_at_once(household: Household) -> None:
    name = await holding_order(household, LONG)
    async with household.living() as daemon:
        await eventually(lambda: household.holding(name))
        household.clock.move(6 * MINUTE)  # the next look would be in 14 minutes
        household.write_rules(REFILL.replace("for: 10m", "for: 5m"))
        daemon.reload()
        await eventually(lambda: household.panel.journal.refills_made())
    assert [entry.order for entry in household.panel.journal.refills_made()] == [name]


async def test_a_reload_that_changes_nothing_keeps_two_thousand_holds(household: Household) -> None:
    household.write_rules(LONG)
    names = [household.panel.add_order(4, status="Partial", remains=157) for _ in range(2_000)]
    await household.track(*names)
    async with household.living() as daemon:
        await eventually(lambda: household.holding(*names))
        before = await household.ledger.memories([order(name) for name in names])
        household.clock.move(MINUTE)
        household.write_rules(LONG.replace("\nrules:", "# a comment\nrules:") + OTHER)
        with capture_logs() as logs:
            daemon.reload()
            await reloads(daemon, "done")
        after = await household.ledger.memories([order(name) for name in names])
    assert {key: memory for key, memory in after.items() if key[0] == "top-up"} == before
    (line,) = [line for line in logs if line["event"] == "rules.reloaded"]
    assert (line["added"], line["changed"], line["restarted"], line["removed"], line["kept"]) == (
        ["other"],
        [],
        [],
        [],
        1,
    )


async def test_holds_of_rewritten_and_removed_rules_end_and_others_stay(household: Household) -> None:
    third = OTHER.replace("other", "third")
    name = await holding_order(household, LONG + OTHER + third)
    async with household.living() as daemon:
        for rule in ("top-up", "other", "third"):
            await eventually(lambda rule=rule: household.holding(name, rule=rule))
        began = (await household.ledger.memories([order(name)]))[("top-up", order(name))].true_since
        household.clock.move(MINUTE)
        household.write_rules(LONG + OTHER.replace("> 100", "> 1"))
        daemon.reload()
        await reloads(daemon, "done")
        memories = await household.ledger.memories([order(name)])
    assert memories[("top-up", order(name))].true_since == began
    assert ("third", order(name)) not in memories
    assert ("other", order(name)) not in memories


async def test_a_reload_with_faults_keeps_the_last_good_set_and_is_told(household: Household) -> None:
    name = await holding_order(household, REFILL)
    async with household.living() as daemon:
        await eventually(lambda: household.holding(name))
        household.write_rules(NO_RULES + OTHER.replace("remains", "remians"))
        with capture_logs() as logs:
            daemon.reload()
            await reloads(daemon, "failed")
            await eventually(household.operator_told)
        household.clock.move(10 * MINUTE)
        await eventually(lambda: household.panel.journal.refills_made())
    (line,) = [line for line in logs if line["event"] == "rules.reload_failed"]
    assert line["kept"] == 1
    assert "remains" in line["problems"][0]
    assert await household.operator_told() == ["reload"]


async def test_a_ledger_that_fails_during_a_reload_keeps_the_last_good_set_and_the_daemon(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = await holding_order(household, REFILL)

    async def full(*_: object) -> int:
        raise LedgerError("the disk is full")

    async with household.living() as daemon:
        await eventually(lambda: household.holding(name))
        household.write_rules(NO_RULES)
        with monkeypatch.context() as patched:
            patched.setattr(SqliteLedger, "end_holds", full)
            daemon.reload()
            await reloads(daemon, "failed")
        household.clock.move(10 * MINUTE)
        await eventually(lambda: household.panel.journal.refills_made())
        daemon.reload()
        await reloads(daemon, "done")


async def test_a_rule_rewritten_while_the_daemon_was_down_holds_anew(household: Household) -> None:
    name = await holding_order(household, REFILL)
    async with household.living():
        await eventually(lambda: household.holding(name))
    household.write_rules(REFILL.replace("remains > 0", "remains >= 1"))
    household.clock.move(10 * MINUTE)
    with capture_logs() as logs:
        async with household.living():
            await eventually(lambda: household.holding(name))
    assert [(line["rules"], line["holds"]) for line in logs if line["event"] == "rules.holds_ended"] == [
        (["top-up"], 1)
    ]
    assert household.panel.journal.refills_made() == ()


async def test_a_rule_kept_over_a_restart_keeps_its_hold(household: Household) -> None:
    name = await holding_order(household, REFILL)
    async with household.living():
        await eventually(lambda: household.holding(name))
    household.write_rules(REFILL.replace("for: 10m", "for: 5m"))
    household.clock.move(5 * MINUTE)
    async with household.living():  # it is looked at before the end of the old hold
        await eventually(lambda: household.panel.journal.refills_made())
