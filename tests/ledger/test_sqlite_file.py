"""The file itself: who may read it, what SQLite is asked to promise, and what goes wrong with files."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from smm_rules.facts import EntityKind
from smm_rules.ledger.migrations import MIGRATIONS
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Sweep
from smm_rules.ledger.sqlite import SqliteLedger, connection, wal_is_safe
from smm_rules.ledger.sqlite.connection import check, open_connection
from tests.ledger.builders import MINUTE, T0, draft, fired, firing, new_order, observed, order, planned
from tests.ledger.processes import start, wait

NOBODY = 65534
FULL, EXTRA = 2, 3


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
async def ledger(path: Path) -> AsyncIterator[SqliteLedger]:
    async with await SqliteLedger.open(path, timedelta(milliseconds=1)) as opened:
        yield opened


# -- what SQLite is asked to promise ---------------------------------------------------------------------
@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ("3.6.23", False),
        ("3.7.0", False),
        ("3.40.1", False),
        ("3.51.2", False),
        ("3.51.3", True),
        ("3.51.10", True),
        ("3.52.0", True),
        ("3.53", True),
        ("4.0.0", True),
        ("3.9.9", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_write_ahead_logging_is_safe_from_3_51_3_on(version: str, safe: bool) -> None:
    assert wal_is_safe(version) is safe


def test_the_bundled_sqlite_is_safe() -> None:
    assert wal_is_safe(apsw.sqlite_lib_version())


def test_a_connection_is_durable_and_keeps_references(path: Path) -> None:
    with closing(open_connection(path)) as opened:
        assert opened.pragma("journal_mode") == "wal"
        assert opened.pragma("synchronous") == FULL
        assert opened.pragma("foreign_keys") == 1
        assert opened.pragma("busy_timeout") == 15_000


@pytest.mark.parametrize("existing", [False, True])
async def test_an_unsafe_sqlite_gets_a_rollback_journal(
    path: Path, existing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if existing:
        open_connection(path).close()
    monkeypatch.setattr(connection, "wal_is_safe", lambda version: False)
    with closing(open_connection(path)) as opened:
        assert opened.pragma("journal_mode") == "delete"
        assert opened.pragma("synchronous") == EXTRA
    async with await SqliteLedger.open(path) as ledger:
        assert (await ledger.describe()).journal == "delete"
        assert await ledger.track([new_order(1)], T0) == 1


async def test_an_unsafe_sqlite_does_not_touch_a_ledger_in_use_with_wal(
    path: Path, ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "wal_is_safe", lambda version: False)
    with pytest.raises(LedgerError, match=r"locked for too long|can corrupt"):
        open_connection(path, timedelta(milliseconds=1))
    assert await ledger.track([new_order(1)], T0) == 1


def test_a_new_ledger_waits_for_another_process_that_is_making_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.touch()
    waits: list[float] = []
    with closing(apsw.Connection(str(path))) as other:
        other.execute("BEGIN IMMEDIATE")

        def pause(seconds: float) -> None:
            waits.append(seconds)
            if other.in_transaction:
                other.execute("ROLLBACK")

        monkeypatch.setattr(connection.time, "sleep", pause)
        with closing(open_connection(path)) as opened:
            assert opened.pragma("journal_mode") == "wal"
    assert waits != []


async def test_a_ledger_describes_itself(ledger: SqliteLedger, path: Path) -> None:
    description = await ledger.describe()
    assert description.path == ledger.path == path
    assert description.library == apsw.sqlite_lib_version()
    assert (description.journal, description.schema, description.mode) == (
        "wal",
        MIGRATIONS[-1].version,
        0o600,
    )
    assert description.size == path.stat().st_size


# -- who may read it -------------------------------------------------------------------------------------
async def test_a_new_ledger_is_private_whatever_the_umask(path: Path) -> None:
    umask = os.umask(0)
    try:
        async with await SqliteLedger.open(path) as ledger:
            await ledger.track([new_order(1)], T0)
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(umask)
    names = ("ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.stamp")
    assert modes == dict.fromkeys(names, 0o600)


# -- what goes wrong -------------------------------------------------------------------------------------
async def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"the directory .*/missing of the ledger doesn't exist; create it"):
        await SqliteLedger.open(tmp_path / "missing" / "ledger.db")


async def test_a_directory_is_not_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="is a directory; the ledger needs a file"):
        await SqliteLedger.open(tmp_path)


async def test_another_kind_of_file_is_refused_and_left_alone(path: Path) -> None:
    content = b"orders,status\n" * 500
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=r"ledger\.db: the file is not a ledger .*; check the path"):
        await SqliteLedger.open(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("unwritable", ["file", "directory"])
def test_a_ledger_that_cannot_be_written_is_refused(unwritable: str) -> None:
    directory = Path(tempfile.mkdtemp())
    path = directory / "ledger.db"
    if unwritable == "file":
        open_connection(path).close()
        path.chmod(0o444)
    directory.chmod(0o555)

    def refused() -> None:
        if os.geteuid() == 0:  # root may write anything
            os.setuid(NOBODY)
        with pytest.raises(
            LedgerError, match="can't be opened for writing: Permission denied; check who owns"
        ):
            open_connection(path)

    assert wait(start(refused)) == 0
    directory.chmod(0o755)
    path.unlink(missing_ok=True)
    directory.rmdir()


async def test_a_write_to_what_has_become_read_only_says_so(ledger: SqliteLedger) -> None:
    await ledger._writer.read(lambda opened: opened.pragma("query_only", True))
    with pytest.raises(LedgerError, match=r"the ledger can't be written to .*; check who owns the file"):
        await ledger.track([new_order(1)], T0)
    assert await ledger.order(order(1)) is None


async def test_a_full_disk_writes_nothing_by_halves_and_is_got_over(ledger: SqliteLedger) -> None:
    await ledger.track([new_order(1)], T0)
    pages = await ledger._writer.read(lambda opened: opened.pragma("page_count"))
    await ledger._writer.read(lambda opened: opened.pragma("max_page_count", pages))
    before = await ledger.watched(order(1))
    huge = Sweep(
        T0 + MINUTE,
        (observed(order(1), {"link": "x" * 1_000_000}),),
        firings=(planned(firing(), draft()),),
    )
    with pytest.raises(
        LedgerError, match=r"the disk is full, nothing of the last change was written .*; make room"
    ):
        await ledger.record(huge)
    assert await ledger.watched(order(1)) == before
    assert await ledger.intents([], 10) == ()
    await ledger._writer.read(lambda opened: opened.pragma("max_page_count", 1_000_000))
    assert len((await ledger.record(huge)).intents) == 1


async def test_a_ledger_that_stays_locked_is_reported_and_reading_goes_on(
    path: Path, ledger: SqliteLedger
) -> None:
    with closing(open_connection(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="another process has kept the ledger locked for too long"):
            await ledger.track([new_order(1)], T0)
        assert await ledger.due(EntityKind.ORDER, "north", T0, 10) == ()
        other.execute("ROLLBACK")
    assert await ledger.track([new_order(1)], T0) == 1


async def test_a_change_that_fails_midway_leaves_nothing(ledger: SqliteLedger) -> None:
    sound = planned(firing(order(1)), draft())
    broken = planned(firing(order(2)), draft(), memory_if_stopped=None)  # type: ignore[arg-type]
    unkept = planned(firing(order(3), episode=T0.replace(tzinfo=None)), draft())
    with pytest.raises(ValueError, match="has no time zone"):
        await ledger.record(fired(sound, broken, unkept))
    assert await ledger.intents([], 10) == ()
    assert len((await ledger.record(fired(sound))).intents) == 1


# -- damage ----------------------------------------------------------------------------------------------
async def test_a_sound_ledger_has_no_faults(ledger: SqliteLedger) -> None:
    await ledger.track([new_order(number) for number in range(100)], T0)
    assert await ledger.integrity() == ()


def test_a_dangling_reference_is_a_fault(path: Path) -> None:
    with closing(open_connection(path)) as opened:
        opened.pragma("foreign_keys", False)
        opened.execute("INSERT INTO facts VALUES (7, '{}')")
        assert check(opened) == ("row 7 of facts refers to a row missing from entities",)


async def _damaged(path: Path) -> Path:
    async with await SqliteLedger.open(path) as ledger:
        await ledger.track([new_order(number) for number in range(2000)], T0)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 4))
    return path


async def test_damage_is_found_by_the_check(path: Path) -> None:
    async with await SqliteLedger.open(await _damaged(path)) as ledger:
        assert await ledger.integrity() != ()


async def test_damage_met_at_work_is_an_error_that_says_what_to_do(path: Path) -> None:
    async with await SqliteLedger.open(await _damaged(path)) as ledger:
        with pytest.raises(LedgerError, match=r"the ledger is damaged .*restore a backup"):
            await ledger.due(EntityKind.ORDER, "north", T0, 2000)
