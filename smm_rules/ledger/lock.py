"""One daemon per ledger: a lock that the kernel drops when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from smm_rules.ledger.port import LedgerError


class DaemonLock:
    """Held while a daemon runs on a ledger. Other commands don't need it.

    The lock is on `<ledger>.lock`, not on the ledger itself, so that it can't meddle with SQLite's own. The
    file stays behind when the lock is released: to remove it would let two processes lock different files of
    the same name.
    """

    def __init__(self, ledger: Path) -> None:
        resolved = ledger.resolve()
        self.path = resolved.with_name(resolved.name + ".lock")
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock; `LedgerError` when another process has it or the file can't be made."""
        if self._descriptor is not None:
            return
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LedgerError(
                f"the lock file {self.path} can't be opened: {error.strerror}; "
                "the daemon needs to write to the ledger's directory"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise LedgerError(
                f"another daemon{holder} is running on this ledger ({self.path} is locked); "
                "stop it first, or give this one another ledger"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

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


def _holder(descriptor: int) -> str:
    text = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
    return f" (process {text})" if text.isdecimal() else ""
