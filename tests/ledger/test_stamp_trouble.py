"""A stamp that can't be read or written: nothing is sent, the rest goes on, and it is known why."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from smm_rules.ledger.audit import AuditKind, Head
from smm_rules.ledger.holds import HoldReason
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stamp import Stamp, StampFile
from tests.ledger.builders import DAY, MINUTE, T0, draft, order, plan

LATER = T0 + DAY
DAEMON_USER = 4321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


class Disk:
    """Calls of `os` that fail while they are named in `failing`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failing: set[str] = set()
        for name in ("open", "pread", "pwrite", "fdatasync"):
            monkeypatch.setattr(os, name, self._failing(name, getattr(os, name)))

    def _failing(self, name: str, real: object) -> object:
        def call(*arguments: object, **more: object) -> object:
            of_the_stamp = name != "open" or str(arguments[0]).endswith(".stamp")
            if name in self.failing and of_the_stamp:
                raise OSError(5, "Input/output error")
            return real(*arguments, **more)  # type: ignore[operator]  # one of os

        return call


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


async def _decided(ledger: SqliteLedger, number: int = 1) -> None:
    """Something that adds to the record, so that the stamp has to move."""
    await ledger.audit(AuditKind.PAUSE, "operator:ann", "", {"number": number}, LATER)


# -- the file -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("call", ["open", "pread"])
def test_a_stamp_that_cannot_be_read_is_an_error_that_says_what_to_do(
    path: Path, disk: Disk, call: str
) -> None:
    StampFile(path).begin(Stamp("one", Head(1, "1" * 64), T0))
    disk.failing = {call}
    with pytest.raises(LedgerError, match=r"can't be read: Input/output error; .*check who owns it"):
        StampFile(path).read()


def test_a_link_in_the_stamps_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    """A command that runs as root would write wherever somebody's link leads."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    StampFile(path).path.symlink_to(precious)
    with pytest.raises(LedgerError, match="can't be written"):
        StampFile(path).begin(Stamp("one", Head(1, "1" * 64), T0))
    assert precious.read_bytes() == b"precious"


@as_root
async def test_a_stamp_made_by_root_belongs_to_the_ledgers_owner(path: Path) -> None:
    async with await SqliteLedger.open(path):
        pass
    os.chown(path, DAEMON_USER, DAEMON_USER)
    StampFile(path).path.unlink()
    async with await SqliteLedger.open(path) as ledger:
        hold = await ledger.hold_if_doubtful("daemon", LATER)
        assert hold is not None
        await ledger.confirm_hold(LATER, "operator:root", LATER)
    made = StampFile(path).path.stat()
    assert (made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)) == (DAEMON_USER, DAEMON_USER, 0o600)


@as_root
def test_a_stamp_that_root_owns_already_is_given_back_when_it_begins_anew(path: Path) -> None:
    file = StampFile(path)
    file.begin(Stamp("one", Head(1, "1" * 64), T0))
    path.touch()
    os.chown(path, DAEMON_USER, DAEMON_USER)
    file.begin(Stamp("one", Head(2, "2" * 64), T0))
    assert file.path.stat().st_uid == DAEMON_USER


@as_root
def test_a_file_of_two_names_is_never_given_away(path: Path, tmp_path: Path) -> None:
    file = StampFile(path)
    file.begin(Stamp("one", Head(1, "1" * 64), T0))
    os.link(file.path, tmp_path / "other name")
    path.touch()
    os.chown(path, DAEMON_USER, DAEMON_USER)
    file.begin(Stamp("one", Head(2, "2" * 64), T0))
    assert file.path.stat().st_uid == 0


# -- the ledger beside it -------------------------------------------------------------------------------
async def test_a_stamp_that_cannot_be_moved_stops_all_sending_until_it_can(path: Path, disk: Disk) -> None:
    async with await SqliteLedger.open(path) as ledger:
        intent_id = await plan(ledger, draft())
        assert ledger.stamp_trouble == ""
        disk.failing = {"pwrite"}
        await _decided(ledger)
        assert "can't be written: Input/output error" in ledger.stamp_trouble
        assert await ledger.claimable(LATER, 10) == ()
        with pytest.raises(LedgerError, match="can't be written"):
            await ledger.claim(intent_id, "daemon", LATER, {})
        disk.failing = set()
        await _decided(ledger, 2)
        assert ledger.stamp_trouble == ""
        stamp = StampFile(path).read()
        assert stamp is not None
        assert stamp.head == await ledger.audit_head()
        assert [intent.id for intent in await ledger.claimable(LATER + DAY, 10)] == [intent_id]
        assert await ledger.claim(intent_id, "daemon", LATER + DAY, {})


async def test_trouble_is_over_once_the_stamp_is_durable_again_not_before(path: Path, disk: Disk) -> None:
    """A disk that takes writes and never syncs them: the next claim would fail again."""
    async with await SqliteLedger.open(path) as ledger:
        intent_id = await plan(ledger, draft())
        disk.failing = {"fdatasync"}
        with pytest.raises(LedgerError, match="can't be written"):
            await ledger.claim(intent_id, "daemon", T0 + MINUTE, {})
        await _decided(ledger)
        assert ledger.stamp_trouble != ""
        disk.failing = set()
        await _decided(ledger, 2)
        assert ledger.stamp_trouble == ""


async def test_any_write_tries_a_troubled_stamp_again(path: Path, disk: Disk) -> None:
    """A quiet ledger must find out, too: a heartbeat adds nothing to the record."""
    async with await SqliteLedger.open(path) as ledger:
        disk.failing = {"pwrite"}
        await _decided(ledger)
        disk.failing = set()
        await ledger.clock_set_back(LATER)
        assert ledger.stamp_trouble == ""


async def test_a_ledger_whose_stamp_cannot_be_read_is_open_for_all_but_sending(
    path: Path, disk: Disk
) -> None:
    async with await SqliteLedger.open(path) as ledger:
        intent_id = await plan(ledger, draft())
    disk.failing = {"pread"}
    async with await SqliteLedger.open(path) as ledger:
        assert "can't be read: Input/output error" in ledger.stamp_trouble
        assert await ledger.hold_if_doubtful("daemon", LATER) is None
        assert await ledger.claimable(LATER, 10) == ()
        with pytest.raises(LedgerError, match="can't be read"):
            await ledger.claim(intent_id, "daemon", LATER, {})
        with pytest.raises(LedgerError, match="can't be read"):
            await ledger.ask(draft(), order(), LATER, "operator:ann")
        intent = await ledger.intent(intent_id)
        assert intent is not None
        assert intent.state is IntentState.PLANNED
        disk.failing = set()
        await _decided(ledger)
        assert ledger.stamp_trouble == ""
        assert await ledger.claim(intent_id, "daemon", LATER, {})


async def test_an_older_copy_is_found_out_as_soon_as_the_stamp_can_be_read(
    path: Path, tmp_path: Path, disk: Disk
) -> None:
    async with await SqliteLedger.open(path) as ledger:
        await _decided(ledger)
    older = path.read_bytes()
    async with await SqliteLedger.open(path) as ledger:
        await plan(ledger, draft())
    path.write_bytes(older)
    disk.failing = {"pread"}
    async with await SqliteLedger.open(path) as ledger:
        before = StampFile(path).path.read_bytes()
        disk.failing = set()
        await _decided(ledger)
        assert StampFile(path).path.read_bytes() == before
        assert ledger.finding is not None
        hold = await ledger.hold_if_doubtful("daemon", LATER)
        assert hold is not None
        assert hold.reason is HoldReason.OLDER
