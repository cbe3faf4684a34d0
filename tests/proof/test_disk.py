"""The ledger alone: what it acknowledged outlives any loss of power, and no failing disk harms it."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from random import Random

import apsw
import pytest

from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from tests.ledger.builders import T0, draft, fired, firing, new_order, order, planned
from tests.proof.disk import SECTOR, DiskFault, Kept, Write, after_loss
from tests.proof.storms import LIFE, Content, Storm, Strike, content, new_ledger, on_disk, snapshots

#: What a platter looks like after a loss is drawn; so many draws for each moment.
DRAWS = 1


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[Content]:
    return snapshots(tmp_path_factory.mktemp("undisturbed"))


def copied(directory: Path, name: str) -> Path:
    """A ledger of its own, as it is before its life."""
    template = directory / "template.db"
    if not template.exists():
        new_ledger(template)
    return Path(shutil.copyfile(template, directory / name))


def lose_power_at(
    directory: Path, call: int, seed: int, fault: DiskFault, synchronous: str
) -> tuple[int, Content] | None:
    """What was acknowledged when the power went at the `call`-th writing call, and what was left; None when
    there was no such call."""
    path = copied(directory, f"{call}-{seed}-{fault}.db")
    with on_disk(seed) as disk:
        strike = Strike(call, fault)
        disk.judge = strike
        storm = Storm(path, disk, synchronous)
        with contextlib.suppress(apsw.Error):
            storm.live()
        if not strike.struck:
            return None
        disk.drop_process()
        disk.lose_power()
        disk.judge = lambda *_: None
        return storm.acknowledged, content(path)


def lives_cut_short(directory: Path, synchronous: str = "") -> list[tuple[int, Content]]:
    """The ends of lives that lost their power at each writing call there is, before it and after it."""
    found = []
    for fault in (DiskFault.CRASH_BEFORE, DiskFault.CRASH_AFTER):
        for call in range(1, 10_000):
            ends = [lose_power_at(directory, call, seed, fault, synchronous) for seed in range(DRAWS)]
            if ends[0] is None:
                break
            found += [end for end in ends if end is not None]
    return found


def forgotten(ends: list[tuple[int, Content]], undisturbed: list[Content]) -> list[int]:
    """The ends that lack something acknowledged, by the number of changes that were."""
    return [
        acknowledged
        for acknowledged, left in ends
        if left not in undisturbed[acknowledged : acknowledged + 2]
    ]


def test_a_loss_of_power_at_any_write_forgets_nothing_acknowledged(
    tmp_path: Path, undisturbed: list[Content]
) -> None:
    ends = lives_cut_short(tmp_path)

    assert len(ends) > 150
    assert {acknowledged for acknowledged, _ in ends} >= set(range(len(LIFE)))
    assert forgotten(ends, undisturbed) == []


def test_a_loss_of_power_while_a_ledger_is_made_leaves_one_that_can_be_made(
    tmp_path: Path, undisturbed: list[Content]
) -> None:
    for call in range(1, 10_000):
        path = tmp_path / f"{call}.db"
        with on_disk(call) as disk:
            strike = Strike(call, DiskFault.CRASH_AFTER)
            disk.judge = strike
            with contextlib.suppress(LedgerError, apsw.Error):
                new_ledger(path)
            if not strike.struck:
                break
            disk.drop_process()
            disk.lose_power()
            disk.judge = lambda *_: None
            assert content(new_ledger(path)) == undisturbed[0]
    assert call > 20


@pytest.mark.parametrize("synchronous", ["off", "normal"])
def test_without_full_syncs_the_same_losses_forget(
    tmp_path: Path, undisturbed: list[Content], synchronous: str
) -> None:
    """The negative control: the test above can fail, and `synchronous = full` is what it holds by."""
    ends = []
    for call in range(2, 60, 3):
        end = lose_power_at(tmp_path, call, 0, DiskFault.CRASH_BEFORE, synchronous)
        ends += [end] if end is not None else []

    assert len(forgotten(ends, undisturbed)) > 3


def broken_life(path: Path, strike: Strike) -> list[apsw.Error]:
    """A life in which some calls fail and each failed change is made again; the errors it met."""
    with on_disk(1) as disk:
        disk.judge = strike
        storm = Storm(path, disk)
        storm.live(again=True)
        return storm.errors


@pytest.mark.parametrize(
    ("fault", "error", "only"),
    [
        (DiskFault.FULL, apsw.FullError, "write"),
        (DiskFault.IO_ERROR, apsw.IOError, ""),
        (DiskFault.READ_ONLY, apsw.ReadOnlyError, ""),
    ],
    ids=lambda value: str(getattr(value, "value", "")),
)
def test_a_disk_that_fails_at_any_call_costs_that_change_alone(
    tmp_path: Path, undisturbed: list[Content], fault: DiskFault, error: type[apsw.Error], only: str
) -> None:
    """Each call there is fails once; its change is undone and made again, and then all is as it should be."""
    met = 0
    for call in range(1, 10_000):
        strike = Strike(call, fault, only=only)
        path = copied(tmp_path, f"{call}.db")
        errors = broken_life(path, strike)
        if not strike.struck:
            break
        assert all(isinstance(found, error | apsw.CantOpenError) for found in errors), errors
        met += len(errors)
        assert content(path) == undisturbed[-1]
    assert met > 30


def test_a_failed_change_leaves_the_ledger_as_it_was(tmp_path: Path, undisturbed: list[Content]) -> None:
    for call in range(1, 10_000):
        path = copied(tmp_path, f"{call}.db")
        with on_disk(2) as disk:
            strike = Strike(call, DiskFault.FULL, times=1_000_000, only="write")
            disk.judge = strike
            storm = Storm(path, disk)
            with contextlib.suppress(apsw.FullError):
                storm.live()
            if not strike.struck:
                break
            disk.judge = lambda *_: None
            storm.close()
            assert content(path) == undisturbed[storm.acknowledged]


async def test_a_full_disk_is_told_in_words_and_overcome(tmp_path: Path) -> None:
    with on_disk(3) as disk:
        async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
            await ledger.track([new_order(1)], T0)
            [number] = (await ledger.record(fired(planned(firing(), draft())))).intents
            disk.judge = lambda call, _: DiskFault.FULL if call == "write" else None
            with pytest.raises(LedgerError, match="the disk is full"):
                await ledger.claim(number, "daemon", T0, {})

            disk.judge = lambda *_: None
            assert (await ledger.intents((IntentState.PLANNED,), 10))[0].attempts == 0
            assert await ledger.claim(number, "daemon", T0, {})


async def test_a_disk_that_turned_read_only_is_told_in_words_and_can_be_read(tmp_path: Path) -> None:
    with on_disk(4) as disk:
        async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
            await ledger.track([new_order(1)], T0)
            disk.judge = lambda *_: DiskFault.READ_ONLY
            with pytest.raises(LedgerError, match="can't be written to"):
                await ledger.track([new_order(2)], T0)

            assert await ledger.watched(order(1)) is not None
            assert await ledger.watched(order(2)) is None
            disk.judge = lambda *_: None


def test_the_disk_itself_forgets_what_was_not_synced(tmp_path: Path) -> None:
    """The shim's own promise: after a loss of power the last sync is there, what came later may be."""
    path = tmp_path / "plain.db"
    left = set()
    for seed in range(40):
        path.unlink(missing_ok=True)
        with on_disk(seed) as disk:
            connection = apsw.Connection(str(path))
            connection.pragma("journal_mode", "off")
            connection.execute("CREATE TABLE t (a)")
            connection.pragma("synchronous", "off")
            connection.execute("INSERT INTO t VALUES (1)")
            disk.drop_process()
            disk.lose_power()
            with_row = apsw.Connection(str(path)).execute("SELECT count(*) FROM t").fetchall()
            left.add(with_row[0][0])
    assert left == {0, 1}


def test_a_torn_write_is_torn_between_sectors_only() -> None:
    kept = Kept(bytearray(b"a" * 4096), [Write(0, b"b" * 4096)])
    for seed in range(50):
        left = after_loss(kept, "torn", Random(seed))
        sectors = {left[at : at + SECTOR] for at in range(0, 4096, SECTOR)}
        assert sectors <= {b"a" * SECTOR, b"b" * SECTOR}
