"""A daemon on a ledger that was put back from a copy sends nothing until the operator has confirmed it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from structlog.testing import capture_logs

from smm_rules.ledger.audit import AuditQuery
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.sqlite.copies import restore
from smm_rules.simulator import RunningSimulator
from tests.daemon.household import MINUTE, REFILL, Household, eventually

SOON = REFILL.replace("    for: 10m\n", "")


async def _lost_run(tmp_path: Path, smm_panel: RunningSimulator) -> tuple[Household, str]:
    """A backup, then a refill that the backup doesn't know; the household of the ledger put back by hand."""
    path = tmp_path / "ledger.db"
    async with await SqliteLedger.open(path) as ledger:
        house = Household(tmp_path, smm_panel, ledger)
        house.write_rules(SOON)
        name = smm_panel.add_order(4, status="Partial", remains=157)
        await house.track(name)
        await ledger.backup(tmp_path / "copy.db", "operator:ann", house.clock.now())
        async with house.living():
            await eventually(lambda: house.intents(IntentState.CONFIRMED))
    return house, name


async def test_nothing_is_done_a_second_time_after_a_copy_was_put_back(
    tmp_path: Path, smm_panel: RunningSimulator
) -> None:
    lost, _ = await _lost_run(tmp_path, smm_panel)
    for companion in ("-wal", "-shm"):
        (tmp_path / f"ledger.db{companion}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "copy.db", tmp_path / "ledger.db")
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        house = Household(tmp_path, smm_panel, ledger, lost.clock)
        house.clock.move(MINUTE)
        with capture_logs() as logs:
            async with house.living():
                await eventually(lambda: house.intents(IntentState.HELD))
                for _ in range(3):  # some ticks on
                    await asyncio.sleep(0)
                    house.clock.move(MINUTE)
        assert len(smm_panel.journal.refills_made()) == 1
        [held] = await ledger.intents((), 10)
        assert held.reason == "restored"
        assert [line["reason"] for line in logs if line["event"] == "daemon.on_hold"] == ["older"]
        assert any("smm-rules hold confirm" in body for body in await house.bodies())


async def test_once_confirmed_what_is_new_is_acted_on_and_what_was_held_stays(
    tmp_path: Path, smm_panel: RunningSimulator
) -> None:
    lost, known = await _lost_run(tmp_path, smm_panel)
    restore(tmp_path / "copy.db", tmp_path / "ledger.db", "operator:ann", lost.clock.now())
    async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
        house = Household(tmp_path, smm_panel, ledger, lost.clock)
        house.clock.move(MINUTE)
        async with house.living():
            await eventually(lambda: house.intents(IntentState.HELD))
            house.clock.move(MINUTE)
            await ledger.confirm_hold(house.clock.now(), "operator:ann", house.clock.now())
            house.clock.move(MINUTE)
            fresh = smm_panel.add_order(4, status="Partial", remains=20)
            await house.track(fresh)
            await eventually(lambda: house.intents(IntentState.CONFIRMED))
        assert [entry.order for entry in smm_panel.journal.refills_made()] == [known, fresh]
        assert await house.intents() == [("top-up", known, "held"), ("top-up", fresh, "confirmed")]


async def test_a_daemon_notes_its_rules_and_each_change_of_them_in_the_record(household: Household) -> None:
    household.write_rules(REFILL)
    async with household.living() as daemon:
        household.write_rules(REFILL.replace("for: 10m", "for: 20m"))
        daemon.reload()
        await eventually(lambda: _kinds(household, 2))
        household.write_rules("rules: [nonsense]")
        daemon.reload()
        await eventually(lambda: _kinds(household, 3))
    household.write_rules(REFILL.replace("for: 10m", "for: 20m"))
    async with household.living():  # the set noted last: no entry
        pass
    first, second, third = await household.ledger.audit_page(AuditQuery(), 0, 10)
    assert (first.kind, first.data["added"]) == ("rules", ["top-up"])
    assert (second.kind, second.by, second.data["changed"]) == (
        "rules",
        "daemon, asked by signal",
        ["top-up"],
    )
    assert (third.kind, third.data["kept"]) == ("reload_refused", 1)


async def _kinds(household: Household, count: int) -> bool:
    return len(await household.ledger.audit_page(AuditQuery(), 0, 10)) == count
