"""The files' edges: what is kept beside them, what they are told to sync, what a connection is set to."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import pytest
from structlog.testing import capture_logs

from smm_rules.ledger import stamp as stamps
from smm_rules.ledger.audit import Head
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.migrations import MIGRATIONS, load_migrations, migrate, schema_version
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import IntentState, Outcome
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.sqlite.connection import (
    BUSY_TIMEOUT,
    _configure,
    open_connection,
    open_in_memory,
    translated,
)
from smm_rules.ledger.sqlite.copies import Backup, restore
from smm_rules.ledger.stamp import Stamp, StampFile
from smm_rules.ledger.stops import StopKind, StopScope
from tests.ledger.builders import DAY, MINUTE, NOTHING, T0, draft, new_order, order, plan

BY = "operator:ann"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir()
    return directory / "ledger.db"


def _names(directory: Path) -> set[str]:
    return {file.name for file in directory.iterdir()}


# -- backups and what they replace ----------------------------------------------------------------------
async def _backed_up(path: Path, target: Path) -> Backup:
    async with await SqliteLedger.open(path) as ledger:
        await ledger.track([new_order(1)], T0)
        return await ledger.backup(target, BY, T0)


async def test_a_backup_says_how_large_it_is_and_how_far_its_record_goes(path: Path, tmp_path: Path) -> None:
    made = await _backed_up(path, tmp_path / "copy.db")
    size = (tmp_path / "copy.db").stat().st_size
    assert made == Backup(tmp_path / "copy.db", size, 2)  # the order and the backup itself


async def test_a_ledger_without_a_suffix_gets_one_in_its_backup(path: Path, tmp_path: Path) -> None:
    made = await _backed_up(path.with_name("ledger"), tmp_path)
    assert made.path == tmp_path / "ledger-20260301T120000Z.db"


async def test_each_ledger_put_aside_at_once_gets_a_name_of_its_own(path: Path, tmp_path: Path) -> None:
    source = (await _backed_up(path, tmp_path / "copy.db")).path
    kept = [restore(source, path, BY, T0).kept for _ in range(3)]
    name = "ledger.db.before-20260301T120000Z"
    assert [one and one.name for one in kept] == [name, f"{name}-2", f"{name}-3"]


async def test_what_a_killed_process_left_in_its_log_is_in_the_ledger_that_is_kept(
    path: Path, tmp_path: Path
) -> None:
    source = (await _backed_up(path, tmp_path / "copy.db")).path
    killed = tmp_path / "killed"
    killed.mkdir()
    async with await SqliteLedger.open(path) as ledger:
        await ledger.track([new_order(2)], T0)
        for file in (path, path.with_name("ledger.db-wal")):
            shutil.copy(file, killed / file.name)
    kept = restore(source, killed / "ledger.db", BY, T0).kept
    assert kept is not None
    assert _names(killed) == {"ledger.db", kept.name}
    async with await SqliteLedger.open(kept) as before:
        assert await before.order(order(2)) is not None


async def test_of_a_damaged_ledger_nothing_is_left_beside_the_restored_one(
    path: Path, tmp_path: Path
) -> None:
    """A log that belongs to another file would be taken for the restored one's."""
    source = (await _backed_up(path, tmp_path / "copy.db")).path
    path.write_bytes(b"not a database at all" * 500)
    for name in ("-wal", "-shm", "-journal"):
        path.with_name(f"ledger.db{name}").write_bytes(name.encode())
    kept = restore(source, path, BY, T0).kept
    assert kept is not None
    beside = {f"{kept.name}{name}" for name in ("-wal", "-shm", "-journal")}
    assert _names(path.parent) == {"ledger.db", "ledger.db.stamp", kept.name, *beside}
    assert kept.with_name(f"{kept.name}-wal").read_bytes() == b"-wal"


async def test_a_backup_with_a_dangling_reference_is_refused(path: Path, tmp_path: Path) -> None:
    source = (await _backed_up(path, tmp_path / "copy.db")).path
    with closing(apsw.Connection(str(source))) as connection:
        connection.execute("INSERT INTO facts (entity, facts) VALUES (7, '{}')")
    before = path.read_bytes()
    with pytest.raises(LedgerError, match=r"copy\.db is damaged: row 7 of facts refers"):
        restore(source, path, BY, T0)
    assert path.read_bytes() == before


async def test_another_programs_database_in_the_way_of_a_backup_is_left_alone(
    path: Path, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs.db"
    with closing(apsw.Connection(str(theirs))) as connection:
        connection.execute("CREATE TABLE theirs (a)")
        connection.pragma("user_version", 3)
    before = theirs.read_bytes()
    with pytest.raises(LedgerError, match="is no ledger, so it is left alone"):
        await _backed_up(path, theirs)
    assert theirs.read_bytes() == before


async def test_what_a_backup_that_was_cut_off_left_behind_is_cleared_away(path: Path, tmp_path: Path) -> None:
    (tmp_path / ".copy.db.part").write_bytes(b"half")
    (tmp_path / ".copy.db.part-journal").write_bytes(b"half")
    await _backed_up(path, tmp_path / "copy.db")
    assert _names(tmp_path) == {"copy.db", "state"}


async def test_a_full_disk_is_told_with_the_file_that_found_no_room(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    async with await SqliteLedger.open(path) as ledger:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(LedgerError, match=rf"^{tmp_path}/copy\.db: No space left on device; check that"):
            await ledger.backup(tmp_path / "copy.db", BY, T0)
    with pytest.raises(LedgerError, match=r"missing/\.copy\.db\.part: No such file or directory; check that"):
        await _backed_up(path, tmp_path / "missing" / "copy.db")


async def test_a_backup_that_was_damaged_is_replaced_all_the_same(path: Path, tmp_path: Path) -> None:
    damaged = (await _backed_up(path, tmp_path / "copy.db")).path
    with closing(apsw.Connection(str(damaged))) as connection:
        connection.execute("INSERT INTO facts (entity, facts) VALUES (7, '{}')")
    await _backed_up(path, damaged)
    async with await SqliteLedger.open(damaged) as copy:
        assert await copy.integrity() == ()


async def test_what_is_wrong_with_a_ledger_is_said_in_words(path: Path) -> None:
    async with await SqliteLedger.open(path) as ledger:
        await ledger.track([new_order(number) for number in range(2000)], T0)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 4))
    async with await SqliteLedger.open(path) as ledger:
        faults = await ledger.integrity()
    assert "" not in faults
    assert len(faults) > 0


async def test_an_empty_file_is_no_backup(path: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    with pytest.raises(LedgerError, match=r"empty\.db is empty; a backup is a ledger"):
        restore(tmp_path / "empty.db", path, BY, T0)
    with pytest.raises(LedgerError, match=r"there is no file .*missing\.db; give the path of a backup"):
        restore(tmp_path / "missing.db", path, BY, T0)
    assert _names(path.parent) == set()


async def test_what_is_put_in_place_is_on_the_disk_with_its_name(
    path: Path, tmp_path: Path, synced: list[str]
) -> None:
    source = (await _backed_up(path, tmp_path / "copy.db")).path
    assert synced[-2:] == ["fsync file", "fsync directory"]
    synced.clear()
    restore(source, path, BY, T0)
    assert synced == ["fsync file", "fsync directory"]


async def test_no_file_stays_open_whatever_is_looked_at_or_refused(path: Path, tmp_path: Path) -> None:
    source = (await _backed_up(path, tmp_path / "copy.db")).path
    restore(source, path, BY, T0)
    before = os.listdir("/proc/self/fd")
    lock, elsewhere = DaemonLock(path), StampFile(tmp_path / "elsewhere.db")
    for _ in range(3):
        restore(source, path, BY, T0)
        StampFile(path).read()
        elsewhere.begin(_stamp(1))
        elsewhere.move(_stamp(2), durable=True)
        with lock, pytest.raises(LedgerError):
            DaemonLock(path).acquire()
        lock.holder()
        with pytest.raises(LedgerError):
            restore(tmp_path / "missing.db", path, BY, T0)
    assert os.listdir("/proc/self/fd") == before


# -- the schema -----------------------------------------------------------------------------------------
def test_every_script_beside_the_package_is_a_migration() -> None:
    assert load_migrations() == MIGRATIONS
    assert [one.name for one in MIGRATIONS[:2]] == ["initial", "traces"]


def test_a_file_that_another_process_upgraded_in_between_is_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(apsw.Connection(str(path))) as late, closing(apsw.Connection(str(path))) as faster:
        migrate(late, MIGRATIONS[:1])

        def upgrades(_: apsw.Cursor, statement: str, __: object) -> bool:
            if statement == "BEGIN IMMEDIATE":
                faster.pragma("user_version", 99)
            return True

        late.exec_trace = upgrades
        with pytest.raises(LedgerError, match="written by a newer smm-rules"):
            migrate(late)
        assert schema_version(faster) == 99


def test_another_programs_database_is_refused_whatever_its_version(path: Path) -> None:
    with closing(apsw.Connection(str(path))) as connection:
        connection.execute("CREATE TABLE theirs (a)")
        connection.pragma("user_version", MIGRATIONS[-1].version)
        with pytest.raises(LedgerError, match="database of another program"):
            migrate(connection)


@pytest.mark.parametrize("safe", [True, False])
def test_a_library_that_can_corrupt_is_warned_of(
    path: Path, monkeypatch: pytest.MonkeyPatch, safe: bool
) -> None:
    monkeypatch.setattr("smm_rules.ledger.sqlite.connection.wal_is_safe", lambda _: safe)
    with capture_logs() as logs:
        open_connection(path).close()
    assert ("ledger.wal_unsafe" in [line["event"] for line in logs]) is not safe


def test_an_upgrade_is_logged_and_opening_again_is_not(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with capture_logs() as logs:
        open_connection(path).close()
        open_connection(path).close()
    upgrades = [line for line in logs if line["event"] == "ledger.migrated"]
    assert [(line["before"], line["after"]) for line in upgrades] == [(0, len(MIGRATIONS))]


# -- what a connection is set to ------------------------------------------------------------------------
def test_a_connection_trusts_nothing_in_the_file_and_takes_no_name_for_a_text(tmp_path: Path) -> None:
    with closing(open_connection(tmp_path / "ledger.db")) as opened:
        assert opened.pragma("trusted_schema") == 0
        with pytest.raises(apsw.SQLError, match="no such column"):
            opened.execute('SELECT "misspelt" FROM orders')
        with pytest.raises(apsw.SQLError, match="no such column"):
            opened.execute('CREATE INDEX mistaken ON orders ("misspelt" || label)')


def test_a_connection_bounds_its_log_and_its_memory(tmp_path: Path) -> None:
    with closing(open_connection(tmp_path / "ledger.db")) as opened:
        assert opened.pragma("journal_size_limit") == 64 * 1024 * 1024
        assert opened.pragma("cache_size") == -32 * 1024
        assert opened.pragma("temp_store") == 2  # in memory


def test_a_ledger_in_memory_keeps_references_and_syncs_nothing() -> None:
    with closing(open_in_memory()) as opened:
        assert (opened.pragma("foreign_keys"), opened.pragma("synchronous")) == (1, 0)
        assert opened.pragma("trusted_schema") == 0


async def test_a_ledger_in_memory_claims_once_and_has_no_stamp() -> None:
    async with await SqliteLedger.in_memory() as ledger:
        intent_id = await plan(ledger, draft())
        assert await ledger.claim(intent_id, "d1", T0, {}) is True
        assert await ledger.claim(intent_id, "d1", T0, {}) is False
        stopped = await plan(ledger, draft(), T0 + MINUTE)
        await ledger.stop(StopKind.PANIC, StopScope.ALL, "", "no", "ann", T0)
        assert await ledger.claim(stopped, "d1", T0 + MINUTE, {}) is False
        assert await ledger.hold_if_doubtful("d1", T0) is None
        assert (await ledger.verify_audit()).fault is None
        assert str(ledger.path) == ":memory:"


async def test_a_ledger_that_was_closed_or_never_opened_leaves_no_thread(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(threading.enumerate())
    async with await SqliteLedger.open(path) as ledger:
        await ledger.track([new_order(1)], T0)
    path.with_name("letter.db").write_bytes(b"Dear Ann" * 500)
    with pytest.raises(LedgerError, match="is not a ledger"):
        await SqliteLedger.open(path.with_name("letter.db"))

    def fails(_: StampFile) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(StampFile, "read", fails)
    with pytest.raises(RuntimeError, match="a defect"):
        await SqliteLedger.open(path)
    threads = set(threading.enumerate()) - before
    for thread in threads:
        thread.join(5)
    assert [thread for thread in threads if thread.is_alive()] == []


async def test_two_ledgers_in_memory_know_nothing_of_each_other() -> None:
    async with await SqliteLedger.in_memory() as one, await SqliteLedger.in_memory() as other:
        await one.track([new_order(1)], T0)
        assert await other.order(order(1)) is None


async def test_a_read_is_of_one_moment_whatever_others_write(path: Path) -> None:
    count = "SELECT count(*) FROM entities"
    async with await SqliteLedger.open(path) as ledger:
        with closing(open_connection(path)) as other:

            def counted(connection: apsw.Connection) -> tuple[object, object]:
                before = connection.execute(count).get
                other.execute("INSERT INTO entities (kind, panel, name) VALUES ('order', 'north', '1')")
                return before, connection.execute(count).get

            assert await ledger._writer.read(counted) == (0, 0)
            assert await ledger._writer.read(lambda connection: connection.execute(count).get) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (apsw.ConstraintError("x"), "the ledger refused a change .x.; report this as a defect"),
        (apsw.IOError("x"), "the disk reported an error .x.; check the disk"),
        (apsw.LockedError("x"), "locked by this very process .x.; report this"),
    ],
)
def test_whatever_sqlite_says_is_told_with_what_to_do(path: Path, error: apsw.Error, words: str) -> None:
    with pytest.raises(LedgerError, match=words), translated(path):
        raise error


def test_a_connection_that_can_only_read_is_refused(path: Path) -> None:
    open_connection(path).close()
    with (
        closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection,
        pytest.raises(apsw.ReadOnlyError, match="opened read-only"),
    ):
        _configure(connection, BUSY_TIMEOUT)


async def test_how_attempts_ended_is_kept_as_long_as_the_rest_and_the_last_for_good(path: Path) -> None:
    async with await SqliteLedger.open(path) as ledger:
        for day in range(3):
            intent_id = await plan(ledger, draft(), T0 + day * DAY)
            await ledger.claim(intent_id, "d1", T0 + day * DAY, {})
            await ledger.settle(
                intent_id, Outcome(IntentState.UNKNOWN, "lost"), NOTHING, T0 + day * DAY, "d1"
            )

        async def kept() -> object:
            count = "SELECT count(*) FROM attempts"
            return await ledger._writer.read(lambda connection: connection.execute(count).get)

        for before, left in ((T0, 3), (T0 + MINUTE, 2), (T0 + 9 * DAY, 1)):
            await ledger.prune(before)
            assert await kept() == left


# -- the stamp ------------------------------------------------------------------------------------------
def _stamp(number: int, ledger: str = "one", **orders: str) -> Stamp:
    return Stamp(ledger, Head(number, f"{number:064x}"), T0 + number * MINUTE, number, 1, orders)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was synced since, in order."""
    calls: list[str] = []

    def noting(name: str) -> None:
        real = getattr(os, name)

        def sync(descriptor: int) -> None:
            kind = "directory" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file"
            calls.append(f"{name} {kind}")
            real(descriptor)

        monkeypatch.setattr(os, name, sync)

    noting("fsync")
    noting("fdatasync")
    return calls


def test_a_stamp_begun_is_durable_and_so_is_that_there_is_one(path: Path, synced: list[str]) -> None:
    StampFile(path).begin(_stamp(1))
    assert synced == ["fsync file", "fsync directory"]


def test_a_stamp_is_synced_when_that_is_asked_for_only(path: Path, synced: list[str]) -> None:
    file = StampFile(path)
    file.move(_stamp(1), durable=False)
    assert synced == []
    file.move(_stamp(2), durable=True)
    assert synced == ["fdatasync file"]


def test_a_stamp_of_another_ledger_is_replaced_whole(path: Path) -> None:
    file = StampFile(path)
    file.begin(_stamp(9, north="1"))
    file.move(_stamp(2, "another", south="2"), durable=False)
    assert file.read() == _stamp(2, "another", south="2")


def test_a_stamp_knows_the_panels_that_confirmed_last(path: Path) -> None:
    file = StampFile(path)
    file.begin(_stamp(1, **{f"panel-{number}": "1" for number in range(200)}))
    file.move(_stamp(2, **{"panel-150": "2", "newest": "3"}), durable=False)
    found = file.read()
    assert found is not None
    assert len(found.orders) == 200
    assert list(found.orders.items())[-2:] == [("panel-150", "2"), ("newest", "3")]
    assert next(iter(found.orders)) == "panel-1"  # that of panel-0 was confirmed longest ago


def test_a_stamp_that_is_behind_only_adds_what_it_knows(path: Path) -> None:
    file = StampFile(path)
    file.begin(_stamp(3))
    file.move(_stamp(2), durable=False)
    found = file.read()
    assert found is not None
    assert (found.head, found.at, found.claims, found.intents) == (_stamp(3).head, _stamp(3).at, 2, 3)


def test_a_file_made_by_a_process_that_died_before_it_wrote_is_no_stamp(path: Path) -> None:
    file = StampFile(path)
    file.path.touch()
    assert file.read() is None
    file.path.write_bytes(b"\0")
    with pytest.raises(LedgerError, match="neither of its two slots"):
        file.read()


def test_a_slot_that_makes_no_sense_is_passed_over(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = StampFile(path)
    file.begin(_stamp(1))
    with monkeypatch.context() as patched:
        patched.setattr(stamps, "_encoded", lambda *_: b'{"turn":2}\n')
        file.begin(_stamp(2))
    assert file.read() == _stamp(1)


def test_a_stamp_written_in_part_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = StampFile(path)
    file.begin(_stamp(1))
    monkeypatch.setattr(os, "pwrite", lambda descriptor, text, place: len(text) - 1)
    with pytest.raises(LedgerError, match=r"can't be written: .*; nothing is sent without it"):
        file.move(_stamp(2), durable=False)
    assert file.read() == _stamp(1)


def test_a_stamp_that_cannot_be_opened_is_told_from_one_that_is_missing(path: Path) -> None:
    file = StampFile(path)
    file.path.symlink_to(file.path)  # a loop: no permission could be taken away from root
    with pytest.raises(LedgerError, match="can't be read: Too many levels of symbolic links"):
        file.read()
    with pytest.raises(LedgerError, match="can't be written: Too many levels of symbolic links"):
        file.move(_stamp(1), durable=True)
    with pytest.raises(LedgerError, match="can't be written: Too many levels of symbolic links"):
        file.begin(_stamp(1))


def test_a_link_to_another_stamp_is_not_followed(path: Path, tmp_path: Path) -> None:
    other, file = StampFile(tmp_path / "other.db"), StampFile(path)
    other.begin(_stamp(1))
    file.path.symlink_to(other.path)
    with pytest.raises(LedgerError, match="can't be read"):
        file.read()
    with pytest.raises(LedgerError, match="can't be written"):
        file.move(_stamp(2), durable=False)
    assert other.read() == _stamp(1)


async def test_trouble_with_the_stamp_is_logged_when_it_begins_and_when_it_ends(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    async with await SqliteLedger.open(path) as ledger:

        async def logged(number: int) -> list[tuple[str, bool]]:
            """What one more write logs."""
            with capture_logs() as logs:
                await ledger.track([new_order(number)], T0)
            return [(line["event"], "No space left on device" in line.get("error", "")) for line in logs]

        assert await logged(1) == []
        with monkeypatch.context() as patched:
            patched.setattr(os, "pwrite", full)
            assert await logged(2) == [("ledger.stamp_failed", True)]
            assert (await logged(3), await logged(4)) == ([], [])
            assert "No space left on device" in ledger.stamp_trouble
        assert await logged(5) == [("ledger.stamp_recovered", False)]
        assert (await logged(6), ledger.stamp_trouble) == ([], "")


def test_where_inodes_have_no_generation_a_copy_is_still_told_from_the_original(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> bytes:
        raise OSError(25, "Inappropriate ioctl for device")

    monkeypatch.setattr(fcntl, "ioctl", refuses)
    file, copied = StampFile(path), StampFile(path.with_name("copy.db"))
    file.begin(_stamp(1))
    shutil.copy(file.path, copied.path)
    found, copy = file.read(), copied.read()
    assert (found and found.original, copy and copy.original) == (True, False)


def test_an_inode_used_again_for_another_file_is_told_by_its_generation(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = StampFile(path)
    generation = b"\1\0\0\0\0\0\0\0"
    monkeypatch.setattr(fcntl, "ioctl", lambda *_: generation)
    file.begin(_stamp(1))
    same = file.read()
    generation = b"\2\0\0\0\0\0\0\0"
    other = file.read()
    assert (same and same.original, other and other.original) == (True, False)


@pytest.mark.parametrize(
    ("act", "asked"),
    [
        (StampFile.read, fcntl.LOCK_SH),
        (lambda file: file.move(_stamp(2), durable=False), fcntl.LOCK_EX),
        (lambda file: file.begin(_stamp(2)), fcntl.LOCK_EX),
    ],
)
def test_a_stamp_is_read_and_written_under_a_lock(
    path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[StampFile], object], asked: int
) -> None:
    file = StampFile(path)
    file.begin(_stamp(1))
    calls: list[object] = []

    def noting(module: object, name: str, what: Callable[[tuple[Any, ...]], object]) -> None:
        real = getattr(module, name)

        def call(*given: Any) -> Any:
            calls.append(what(given))
            return real(*given)

        monkeypatch.setattr(module, name, call)

    noting(fcntl, "flock", lambda given: given[1])
    noting(os, "pread", lambda _: "read")
    noting(os, "pwrite", lambda _: "write")
    act(file)
    assert calls[0] == asked
    assert calls.count(asked) == 1


# -- the lock -------------------------------------------------------------------------------------------
def test_a_second_daemon_is_told_which_process_is_in_its_way(path: Path) -> None:
    with DaemonLock(path), pytest.raises(LedgerError, match=rf"another daemon \(process {os.getpid()}\) is"):
        DaemonLock(path).acquire()


def test_a_holder_that_does_not_say_who_it_is_is_not_named(path: Path) -> None:
    with DaemonLock(path) as lock:
        lock.path.write_text("no number\n", encoding="utf-8")
        assert lock.holder() == ""
        with pytest.raises(LedgerError, match="another daemon is running on this ledger"):
            DaemonLock(path).acquire()


def test_a_lock_is_taken_once_and_let_go_once(path: Path) -> None:
    lock = DaemonLock(path)
    lock.release()
    assert lock.keep() is False
    lock.acquire()
    lock.acquire()
    assert lock.keep() is True
    assert lock.path.read_text(encoding="utf-8") == f"{os.getpid()}\n"
    lock.release()
    lock.release()
    with DaemonLock(path) as other:
        assert other.holder() == str(os.getpid())


def test_the_number_of_an_earlier_process_is_written_over_whole(path: Path) -> None:
    lock = DaemonLock(path)
    lock.path.write_text("9" * 30, encoding="ascii")
    with lock:
        assert lock.holder() == str(os.getpid())


def test_a_lock_file_that_cannot_be_made_says_what_to_do(path: Path) -> None:
    lock = DaemonLock(path.parent / "missing" / "ledger.db")
    with pytest.raises(LedgerError, match="can't be opened: No such file or directory; the daemon needs to"):
        lock.acquire()


def test_a_lock_file_that_cannot_be_given_to_the_ledgers_owner_is_not_taken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("smm_rules.ledger.lock.give_to_owner", refuses)
    lock = DaemonLock(path)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(LedgerError, match="can't be opened: Operation not permitted"):
        lock.acquire()
    assert os.listdir("/proc/self/fd") == before
    assert lock.holder() is None


def test_a_lock_that_was_refused_can_be_taken_later(path: Path) -> None:
    late = DaemonLock(path)
    with DaemonLock(path), pytest.raises(LedgerError, match="another daemon"):
        late.acquire()
    with late:
        assert late.holder() == str(os.getpid())


def test_a_lock_file_is_private_whatever_the_umask(path: Path) -> None:
    umask = os.umask(0)
    try:
        with DaemonLock(path) as lock:
            assert stat.S_IMODE(lock.path.stat().st_mode) == 0o600
    finally:
        os.umask(umask)


def test_who_starts_while_somebody_looks_tries_a_few_times(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("smm_rules.ledger.lock.time.sleep", pauses.append)
    with DaemonLock(path), pytest.raises(LedgerError, match="another daemon"):
        DaemonLock(path).acquire()
    assert pauses == [0.05, 0.05]
