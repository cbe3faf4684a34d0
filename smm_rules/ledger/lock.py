"""One daemon per ledger: a lock that the kernel drops when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from smm_rules.ledger.ownership import give_to_owner
from smm_rules.ledger.port import LedgerError

#: `holder` has the lock for microseconds while it looks; a daemon that starts just then tries again.
_TRIES = 3
_PAUSE_SECONDS = 0.05


class DaemonLock:
    """Held while a daemon runs on a ledger. Other commands don't need it.

    The lock is on `<ledger>.lock`, not on the ledger itself, so that it can't meddle with SQLite's own. The
    file stays behind when the lock is released: to remove it would let two processes lock different files of
    the same name.
    """

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger.resolve()
        self.path = self._ledger.with_name(self._ledger.name + ".lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; `LedgerError` when another process has it or the file can't be made."""
        if self._descriptor is not None:
            return
        try:
            descriptor = self._open()
        except OSError as error:
            raise LedgerError(
                f"the lock file {self.path} can't be opened: {error.strerror}; "
                "the daemon needs to write to the ledger's directory"
            ) from error
        try:
            _lock(descriptor)
        except OSError as error:
            holder = _in_brackets(_holder(descriptor))
            os.close(descriptor)
            raise LedgerError(
                f"another daemon{holder} is running on this ledger ({self.path} is locked); "
                "stop it first, or give this one another ledger"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def _open(self) -> int:
        """The file, made when there is none; one that root makes belongs to the ledger's owner."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o600)
        try:
            give_to_owner(descriptor, self._ledger)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def holder(self) -> str | None:
        """The number of the process that has the lock, empty when it doesn't say; None when none has it.

        Only looks: no file is made. `LedgerError` when the file can't be read.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerError(
                f"the lock file {self.path} can't be opened: {error.strerror}; "
                "run this as the daemon's user, or as root"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _holder(descriptor)
        finally:
            os.close(descriptor)
        return None

    def keep(self) -> bool:
        """Whether it is still held: the kernel takes it from nobody."""
        return self._descriptor is not None

    def release(self) -> None:
        """Let the lock go. Releasing what isn't held does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> DaemonLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _lock(descriptor: int) -> None:
    for remaining in reversed(range(_TRIES)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not remaining:
                raise
            time.sleep(_PAUSE_SECONDS)


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
    return text if text.isdecimal() else ""


def _in_brackets(process: str) -> str:
    return f" (process {process})" if process else ""
