"""Backups beside a ledger at work, and putting one back: whole or not at all, and always noticed."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from smm_rules.ledger.holds import HoldReason
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sqlite import SqliteLedger, copies
from smm_rules.ledger.sqlite.copies import restore
from smm_rules.ledger.stamp import StampFile
from tests.ledger.builders import DAY, MINUTE, NOTHING, T0, draft, ended, new_order, order, plan

LATER = T0 + DAY
BY = "operator:ann"
OLD = Path(__file__).parent / "old"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir()
    return directory / "ledger.db"


async def _backup(path: Path, target: Path) -> Path:
    async with await SqliteLedger.open(path) as ledger:
        await ledger.track([new_order(1)], T0)
        await plan(ledger, draft(estimate="1.50"))
        return (await ledger.backup(target, BY, T0 + MINUTE)).path


async def _go_on(path: Path) -> None:
    async with await SqliteLedger.open(path) as ledger:
        assert await ledger.claim(1, "daemon", T0 + 2 * MINUTE, {})
        made = ended(IntentState.CONFIRMED, tracked=new_order(99))
        await ledger.settle(1, made, NOTHING, T0 + 2 * MINUTE, "daemon")


# -- backup ---------------------------------------------------------------------------------------------
async def test_a_backup_is_one_private_sound_file_of_one_moment(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    async with await SqliteLedger.open(path) as daemon:
        await daemon.track([new_order(number) for number in range(500)], T0)
        made = await _backup(path, target)  # by another process, while the daemon has it open
        await daemon.track([new_order(1000)], T0)
    assert made == target
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.db", "state"]
    async with await SqliteLedger.open(target) as copy:
        assert (await copy.totals(T0)).orders == 500
        assert await copy.integrity() == ()
        assert (await copy.verify_audit()).fault is None


async def test_in_a_directory_it_is_named_after_the_time(path: Path, tmp_path: Path) -> None:
    made = await _backup(path, tmp_path)
    assert made == tmp_path / "ledger-20260301T120100Z.db"


async def test_a_backup_replaces_an_older_one_whole(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    await _backup(path, target)
    await _go_on(path)
    async with await SqliteLedger.open(path) as ledger:
        await ledger.backup(target, BY, LATER)
    async with await SqliteLedger.open(target) as copy:
        assert await copy.order(order(99)) is not None


async def test_what_is_no_ledger_and_the_ledger_itself_are_left_alone(path: Path, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Ann", encoding="utf-8")
    with pytest.raises(LedgerError, match="is no ledger, so it is left alone"):
        await _backup(path, letter)
    assert letter.read_text(encoding="utf-8") == "Dear Ann"
    with pytest.raises(LedgerError, match="is the ledger itself"):
        async with await SqliteLedger.open(path) as ledger:
            await ledger.backup(path, BY, T0)


@pytest.mark.parametrize("step", ["_copy", "_verified", "_sync"])
async def test_a_backup_that_fails_leaves_the_one_before(
    path: Path, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copy.db"
    await _backup(path, target)
    before = target.read_bytes()

    def fails(file: object, *_: object, **more: object) -> int:
        if more:
            return 0  # only whether what is in the way is a ledger
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copies, step, fails)
    async with await SqliteLedger.open(path) as ledger:
        with pytest.raises(LedgerError, match="No space left on device"):
            await ledger.backup(target, BY, LATER)
    assert target.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["copy.db", "state"]


async def test_a_backup_into_nowhere_says_so(path: Path, tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="check that its directory is there"):
        await _backup(path, tmp_path / "missing" / "copy.db")


# -- restore --------------------------------------------------------------------------------------------
async def test_a_restored_ledger_is_on_hold_and_knows_its_gap(path: Path, tmp_path: Path) -> None:
    source = await _backup(path, tmp_path / "copy.db")
    await _go_on(path)
    before = source.read_bytes()
    done = restore(source, path, BY, LATER)
    assert (done.hold.reason, done.hold.by) == (HoldReason.RESTORED, BY)
    assert done.hold.gap.known_until == T0 + MINUTE
    assert done.hold.gap.stamped_at == T0 + 2 * MINUTE
    assert done.hold.gap.orders == {"north": "99"}
    assert done.hold.gap.source == str(source)
    assert source.read_bytes() == before
    async with await SqliteLedger.open(path) as ledger:
        assert await ledger.hold_if_doubtful("daemon", LATER) == done.hold
        [intent] = await ledger.intents([], 10)
        assert (intent.state, intent.reason) == (IntentState.HELD, "restored")
        assert (await ledger.verify_audit()).fault is None
        await ledger.confirm_hold(LATER, BY, LATER)
    async with await SqliteLedger.open(path) as ledger:
        assert await ledger.hold_if_doubtful("daemon", LATER) is None


async def test_the_ledger_before_is_kept_as_it_was(path: Path, tmp_path: Path) -> None:
    source = await _backup(path, tmp_path / "copy.db")
    await _go_on(path)
    kept = restore(source, path, BY, LATER).kept
    assert kept is not None
    assert kept.name == "ledger.db.before-20260302T120000Z"
    with closing(apsw.Connection(str(kept))) as connection:
        assert connection.execute("SELECT state FROM intents").get == "confirmed"
    names = {file.name for file in path.parent.iterdir()}
    assert names == {"ledger.db", "ledger.db.stamp", kept.name}
    assert restore(source, path, BY, LATER).kept != kept


async def test_a_backup_put_back_at_once_is_held_all_the_same(path: Path, tmp_path: Path) -> None:
    source = await _backup(path, tmp_path / "copy.db")
    assert restore(source, path, BY, LATER).hold.gap.intents is None
    async with await SqliteLedger.open(path) as ledger:
        assert await ledger.claimable(LATER, 10) == ()


async def test_on_another_machine_it_is_put_in_place_and_held(path: Path, tmp_path: Path) -> None:
    source = await _backup(path, tmp_path / "copy.db")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = restore(source, elsewhere / "ledger.db", BY, LATER)
    assert (done.kept, done.hold.reason) == (None, HoldReason.RESTORED)
    assert StampFile(elsewhere / "ledger.db").read() is None


def _missing(tmp_path: Path) -> Path:
    return tmp_path / "missing.db"


def _text(tmp_path: Path) -> Path:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Ann, this is long enough to be looked at as a header of a database file: no. " * 9)
    return file


def _empty(tmp_path: Path) -> Path:
    file = tmp_path / "empty.db"
    file.touch()
    return file


def _foreign(tmp_path: Path) -> Path:
    file = tmp_path / "other.db"
    with closing(apsw.Connection(str(file))) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    return file


@pytest.mark.parametrize("bad", [_missing, _text, _empty, _foreign])
async def test_what_is_no_backup_is_refused_and_nothing_changes(
    path: Path, tmp_path: Path, bad: Callable[[Path], Path]
) -> None:
    await _backup(path, tmp_path / "copy.db")
    before = path.read_bytes()
    with pytest.raises(LedgerError):
        restore(bad(tmp_path), path, BY, LATER)
    assert path.read_bytes() == before
    assert {file.name for file in path.parent.iterdir()} == {"ledger.db", "ledger.db.stamp"}


async def test_a_damaged_backup_is_refused(path: Path, tmp_path: Path) -> None:
    source = await _backup(path, tmp_path / "copy.db")
    size = source.stat().st_size
    with source.open("r+b") as file:
        file.seek(size // 2)
        file.write(os.urandom(size // 4))
    with pytest.raises(LedgerError, match="damaged"):
        restore(source, path, BY, LATER)


async def test_the_ledger_itself_and_one_at_work_are_refused(path: Path, tmp_path: Path) -> None:
    source = await _backup(path, tmp_path / "copy.db")
    with pytest.raises(LedgerError, match="is the ledger itself"):
        restore(path, path, BY, LATER)
    async with await SqliteLedger.open(path) as command:
        await command.totals(T0)
        with pytest.raises(LedgerError, match="another command is at work"):
            restore(source, path, BY, LATER)
    assert {file.name for file in path.parent.iterdir()} == {"ledger.db", "ledger.db.stamp"}


async def test_a_damaged_ledger_is_kept_with_what_is_beside_it(path: Path, tmp_path: Path) -> None:
    source = await _backup(path, tmp_path / "copy.db")
    path.write_bytes(b"not a database at all" * 500)
    path.with_name("ledger.db-wal").write_bytes(b"the log")
    kept = restore(source, path, BY, LATER).kept
    assert kept is not None
    assert kept.with_name(kept.name + "-wal").read_bytes() == b"the log"
    async with await SqliteLedger.open(path) as ledger:
        assert await ledger.integrity() == ()


async def test_a_backup_of_an_earlier_version_is_upgraded(path: Path, tmp_path: Path) -> None:
    source = tmp_path / "old.db"
    with closing(apsw.Connection(str(source))) as connection:
        connection.execute((OLD / "version-1.sql").read_text(encoding="utf-8"))
    done = restore(source, path, BY, LATER)
    assert done.hold.gap.known_until is None
    async with await SqliteLedger.open(path) as ledger:
        assert [intent.state.value for intent in await ledger.intents([], 10)] == ["held", "confirmed"]


@pytest.mark.parametrize("step", ["_copy", "_prepared", "_put_aside"])
async def test_a_restore_that_fails_leaves_the_ledger_as_it_was(
    path: Path, tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = await _backup(path, tmp_path / "copy.db")
    await _go_on(path)

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copies, step, fails)
    with pytest.raises(LedgerError, match="No space left on device"):
        restore(source, path, BY, LATER)
    async with await SqliteLedger.open(path) as ledger:
        assert await ledger.hold_if_doubtful("daemon", LATER) is None
        assert [intent.state for intent in await ledger.intents([], 10)] == [IntentState.CONFIRMED]
