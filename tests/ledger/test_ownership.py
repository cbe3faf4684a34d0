"""What root makes beside a ledger belongs to the owner of the ledger: the daemon must be able to write it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.ownership import give_to_owner
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.sqlite.copies import restore
from tests.ledger.builders import DAY, T0

DAEMON_USER = 4321
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger's place in a directory of the daemon's user."""
    directory = tmp_path / "state"
    directory.mkdir()
    os.chown(directory, DAEMON_USER, DAEMON_USER)
    return directory / "ledger.db"


def owner(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


async def test_a_lock_that_root_makes_lets_the_daemon_start(path: Path) -> None:
    with DaemonLock(path) as lock:
        assert owner(lock.path) == (DAEMON_USER, DAEMON_USER)


@pytest.mark.parametrize("there_before", [True, False])
async def test_a_ledger_that_root_restores_can_be_opened_by_the_daemon(
    path: Path, tmp_path: Path, there_before: bool
) -> None:
    async with await SqliteLedger.open(tmp_path / "source.db") as ledger:
        backup = await ledger.backup(tmp_path / "backup.db", "operator:root", T0)
    if there_before:
        async with await SqliteLedger.open(path):
            pass
        os.chown(path, 1234, 1234)
    restore(backup.path, path, "operator:root", T0 + DAY)
    assert owner(path) == ((1234, 1234) if there_before else (DAEMON_USER, DAEMON_USER))


def test_without_root_nothing_is_given_away(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    path.touch()
    descriptor = os.open(path, os.O_RDWR)
    try:
        give_to_owner(descriptor, path.parent)
    finally:
        os.close(descriptor)
    assert owner(path) == (0, 0)
