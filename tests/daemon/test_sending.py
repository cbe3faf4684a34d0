"""When nothing can be sent at all, the operator hears of it once, and systemd and the heartbeat show it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stamp import StampFile
from smm_rules.simulator import RunningSimulator
from tests.daemon.household import MINUTE, REFILL, Household, eventually
from tests.daemon.test_systemd import supervised

SOON = REFILL.replace("    for: 10m\n", "")


@contextmanager
def stamp_out_of_the_way(ledger: Path) -> Iterator[None]:
    """A directory in the stamp's place: it can be neither read nor written."""
    stamp = StampFile(ledger).path
    aside = stamp.with_suffix(".aside")
    stamp.rename(aside)
    stamp.mkdir()
    try:
        yield
    finally:
        stamp.rmdir()
        aside.rename(stamp)


async def _decided(house: Household) -> None:
    await house.ledger.audit(AuditKind.PAUSE, "operator:ann", "", {}, house.clock.now())


async def _beat_says(house: Household, key: str) -> bool:
    beat = await house.ledger.heartbeat()
    return beat is not None and bool(beat.detail.get(key))


async def _told(house: Household, *kinds: str) -> bool:
    return await house.operator_told() == list(kinds)


async def test_a_stamp_that_cannot_be_used_is_told_once_and_so_is_its_end(household: Household) -> None:
    household.write_rules(SOON)
    async with supervised(household) as supervisor, household.living():
        name = household.panel.add_order(4, status="Partial", remains=157)
        with stamp_out_of_the_way(household.directory / "ledger.db"):
            await household.track(name)
            await eventually(lambda: household.intents(IntentState.PLANNED))
            await eventually(lambda: _told(household, "stamp_failing"))
            await eventually(
                lambda: supervisor.said(
                    "STATUS=Nothing is sent: the ledger's stamp can't be used (smm-rules status); "
                )
            )
            assert household.panel.journal.refills_made() == ()
            assert await _beat_says(household, "stamp")
        await eventually(lambda: household.intents(IntentState.CONFIRMED))
        await eventually(lambda: _told(household, "stamp_failing", "stamp_recovered"))
        await eventually(lambda: _no_longer(household, "stamp"))
    assert len(household.panel.journal.refills_made()) == 1
    assert any("can't be written: Is a directory" in body for body in await household.bodies())


async def _no_longer(house: Household, key: str) -> bool:
    return not await _beat_says(house, key)


async def test_trouble_that_lasts_over_a_restart_is_told_once(household: Household) -> None:
    async with supervised(household):  # which makes heartbeats frequent
        with stamp_out_of_the_way(household.directory / "ledger.db"):
            for _ in range(2):
                async with household.living():
                    await _decided(household)
                    await eventually(lambda: _beat_says(household, "stamp"))
                household.clock.move(MINUTE)
            assert await household.operator_told() == ["stamp_failing"]
        async with household.living():
            await eventually(lambda: _told(household, "stamp_failing", "stamp_recovered"))


async def test_a_copy_beside_an_unreadable_stamp_is_put_on_hold_once_it_can_be_read(
    tmp_path: Path, smm_panel: RunningSimulator
) -> None:
    path = tmp_path / "ledger.db"
    async with await SqliteLedger.open(path) as ledger:
        house = Household(tmp_path, smm_panel, ledger)
        house.write_rules(SOON)
        name = smm_panel.add_order(4, status="Partial", remains=157)
        await house.track(name)
        await ledger.backup(tmp_path / "copy.db", "operator:ann", house.clock.now())
        async with house.living():
            await eventually(lambda: house.intents(IntentState.CONFIRMED))
    (tmp_path / "copy.db").replace(path)
    async with await SqliteLedger.open(path) as ledger:
        house = Household(tmp_path, smm_panel, ledger, house.clock)
        house.clock.move(MINUTE)
        trouble = ExitStack()
        trouble.enter_context(stamp_out_of_the_way(path))
        async with supervised(house), house.living():
            await eventually(lambda: house.intents(IntentState.PLANNED))
            trouble.close()
            await eventually(lambda: house.intents(IntentState.HELD))
            await eventually(lambda: _told(house, "stamp_failing", "on_hold", "stamp_recovered"))
    assert len(smm_panel.journal.refills_made()) == 1


async def test_a_hold_stands_in_the_status_line(tmp_path: Path, smm_panel: RunningSimulator) -> None:
    path = tmp_path / "ledger.db"
    async with await SqliteLedger.open(path):
        pass
    StampFile(path).path.unlink()
    async with await SqliteLedger.open(path) as ledger:
        house = Household(tmp_path, smm_panel, ledger)
        house.write_rules(SOON)
        async with supervised(house) as supervisor, house.living():
            await eventually(
                lambda: supervisor.said("STATUS=On hold, nothing is sent (smm-rules hold show); 0 orders")
            )
