"""Looking who has the daemon's lock."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.port import LedgerError


def test_a_lock_nobody_has_has_no_holder_and_no_file_is_made(tmp_path: Path) -> None:
    lock = DaemonLock(tmp_path / "ledger.db")
    assert lock.holder() is None
    assert not lock.path.exists()


def test_the_holder_is_named_while_it_holds(tmp_path: Path) -> None:
    lock = DaemonLock(tmp_path / "ledger.db")
    with lock:
        assert DaemonLock(tmp_path / "ledger.db").holder() == str(os.getpid())
    assert lock.holder() is None


def test_looking_leaves_the_lock_free(tmp_path: Path) -> None:
    lock = DaemonLock(tmp_path / "ledger.db")
    lock.acquire()
    lock.release()
    assert lock.holder() is None
    with lock:
        assert lock.holder() == str(os.getpid())


def test_a_daemon_that_starts_while_somebody_looks_still_gets_the_lock(tmp_path: Path) -> None:
    lock = DaemonLock(tmp_path / "ledger.db")
    looking = os.open(lock.path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.02, os.close, [looking]).start()
    with lock:
        assert lock.holder() == str(os.getpid())


def test_a_lock_file_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    lock = DaemonLock(tmp_path / "ledger.db")
    lock.path.symlink_to(lock.path)  # a loop: no permission could be taken away from root
    with pytest.raises(LedgerError, match="can't be opened"):
        lock.holder()
