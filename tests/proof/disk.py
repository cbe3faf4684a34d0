"""A disk that forgets what was never synced, fills up, fails and turns read-only: an SQLite VFS.

The file system below is what every process sees. Beside it the disk keeps what a loss of power leaves: for
each file the bytes as of its last sync, and every write, truncation and deletion since, of which any part may
have reached the platter, torn between sectors and in any order.
"""

from __future__ import annotations

import contextlib
import os
import weakref
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any

import apsw

#: What a sector's write is: whole or not at all, in SQLite's own assumption.
SECTOR = 512


class DiskFault(StrEnum):
    """What the next writing call meets."""

    FULL = "full"
    IO_ERROR = "io_error"
    READ_ONLY = "read_only"
    #: The process dies before the call, or after it.
    CRASH_BEFORE = "crash_before"
    CRASH_AFTER = "crash_after"


@dataclass
class Write:
    """Bytes at an offset, not yet synced."""

    offset: int
    data: bytes


@dataclass
class Truncation:
    size: int


@dataclass
class Kept:
    """One file as the platter has it, and what was done to it since. `synced` once its name is there."""

    durable: bytearray
    pending: list[Write | Truncation] = field(default_factory=list)
    named: bool = True
    deleted: bool = False


Judge = Callable[[str, str], DiskFault | None]


class Disk(apsw.VFS):
    """The VFS. `judge(call, file name's ending)` says what a writing call meets."""

    _serial = 0

    def __init__(self, chance: Random, note: Callable[..., None] = lambda *_: None) -> None:
        Disk._serial += 1
        self.name = f"proof-{os.getpid()}-{Disk._serial}"
        self.chance = chance
        self.note = note
        self.judge: Judge = lambda *_: None
        self.on_crash: Callable[[], None] = lambda: None
        self.files: dict[str, Kept] = {}
        self.connections: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        self.generation = 0
        self.calls = 0
        super().__init__(self.name, "unix", makedefault=True)

    def excepthook(self, *_: Any) -> bool:
        """A fault that was asked for needs no report on the standard error."""
        return True

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return DiskFile(self, name, flags)

    def xDelete(self, name: str, sync_directory: bool) -> None:
        self.begin("delete", Path(name).suffix)
        super().xDelete(name, sync_directory)
        if name in self.files:
            if sync_directory:
                del self.files[name]
                self.sync_directory()
            else:
                self.files[name].deleted = True
        self.end("delete")

    def xRandomness(self, count: int) -> bytes:
        return self.chance.randbytes(count)

    # -- faults -----------------------------------------------------------------------------------------
    def begin(self, call: str, ending: str) -> None:
        """A writing call begins: it may fail, or be the last of its process."""
        if self._dead_after:
            raise apsw.IOError("the process is gone")
        self.calls += 1
        fault = self.judge(call, ending)
        if fault is None:
            return
        self.note("disk-fault", fault.value, call, ending)
        if fault is DiskFault.CRASH_BEFORE:
            self._die()
            raise apsw.IOError("the process is gone")
        if fault is DiskFault.CRASH_AFTER:
            self._dying = True
        elif fault is DiskFault.FULL:
            if call == "write":
                raise apsw.FullError("no room on the simulated disk")
        elif fault is DiskFault.READ_ONLY:
            raise apsw.ReadOnlyError("the simulated disk is mounted read-only")
        else:
            raise apsw.IOError("the simulated disk failed")

    def end(self, call: str) -> None:
        """A writing call has done its work."""
        if self._dying:
            self._die()
            raise apsw.IOError(f"the process is gone after its {call}")

    _dying = False
    _dead_after = False

    def _die(self) -> None:
        self._dying = False
        self._dead_after = True
        self.on_crash()

    def sync_directory(self) -> None:
        """What was deleted stays deleted from now on."""
        for name in [name for name, kept in self.files.items() if kept.deleted]:
            del self.files[name]

    def silence(self) -> None:
        """The process is dead this instant: not a byte more of it is written."""
        self._dead_after = True

    # -- the ends of processes and of power ---------------------------------------------------------------
    def drop_process(self) -> None:
        """The process has died: nothing more of it is written, its locks are gone, the files stay."""
        self._dead_after = True
        for connection in list(self.connections):
            with contextlib.suppress(apsw.Error):
                connection.close()
        self.connections.clear()
        self.generation += 1
        self._dead_after = self._dying = False

    def lose_power(self) -> None:
        """Bring the files into a state a loss of power may leave. Every connection must be dropped before."""
        how = self.chance.choice(("nothing", "prefix", "any", "any", "torn"))
        for name in sorted(self.files):
            kept = self.files[name]
            content = after_loss(kept, how, self.chance)
            gone = (kept.deleted and self.chance.random() < 0.5) or (
                not kept.named and self.chance.random() < 0.5
            )
            path = Path(name)
            if gone:
                path.unlink(missing_ok=True)
                del self.files[name]
            else:
                path.write_bytes(content)
                self.files[name] = Kept(bytearray(content))
        for shared in {Path(f"{name.removesuffix('-wal')}-shm") for name in self.files}:
            shared.unlink(missing_ok=True)
        self.note("power", how)


class DiskFile(apsw.VFSFile):
    """An open file. One whose process has died can't write any more."""

    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk
        self._generation = disk.generation
        self._name = name if isinstance(name, str) else (name.filename() if name is not None else "")
        self._ending = Path(self._name).suffix
        if self._name:
            known = disk.files.get(self._name)
            if known is None:
                content = Path(self._name).read_bytes() if Path(self._name).exists() else b""
                wal = self._name.endswith(("-wal", "-journal"))
                disk.files[self._name] = Kept(bytearray(content), named=not wal or bool(content))
            elif known.deleted:  # made anew under the same name before the deletion reached the platter
                known.deleted = known.named = False
                known.pending.append(Truncation(0))

    def _begin(self, call: str) -> Kept:
        if self._generation != self._disk.generation:
            raise apsw.IOError("the process is gone")
        self._disk.begin(call, self._ending)
        return self._disk.files[self._name]

    def xWrite(self, data: bytes, offset: int) -> None:
        kept = self._begin("write")
        super().xWrite(data, offset)
        kept.pending.append(Write(offset, bytes(data)))
        self._disk.note("write", self._ending, offset, len(data), zlib.crc32(data))
        self._disk.end("write")

    def xTruncate(self, size: int) -> None:
        kept = self._begin("truncate")
        super().xTruncate(size)
        kept.pending.append(Truncation(size))
        self._disk.note("truncate", self._ending, size)
        self._disk.end("truncate")

    def xSync(self, flags: int) -> None:
        kept = self._begin("sync")
        for change in kept.pending:
            _apply(kept.durable, change)
        kept.pending.clear()
        if not kept.named:  # SQLite syncs the directory, too, with the first sync of a file it made
            kept.named = True
            self._disk.sync_directory()
        self._disk.note("sync", self._ending)
        self._disk.end("sync")


def _apply(content: bytearray, change: Write | Truncation) -> None:
    if isinstance(change, Truncation):
        del content[change.size :]
        content.extend(bytes(max(0, change.size - len(content))))
        return
    end = change.offset + len(change.data)
    content.extend(bytes(max(0, end - len(content))))
    content[change.offset : end] = change.data


def after_loss(kept: Kept, how: str, chance: Random) -> bytes:
    """What a loss of power leaves of a file: of the unsynced changes none, the first, any, or torn ones."""
    content = bytearray(kept.durable)
    if how == "nothing":
        return bytes(content)
    pending = deque(kept.pending)
    if how == "prefix":
        pending = deque(list(pending)[: chance.randint(0, len(pending))])
    for change in pending:
        if how == "any" and chance.random() < 0.5:
            continue
        if how == "torn" and isinstance(change, Write):
            for sector in _sectors(change):
                if chance.random() < 0.5:
                    _apply(content, sector)
        elif how != "torn" or chance.random() < 0.5:
            _apply(content, change)
    return bytes(content)


def _sectors(change: Write) -> list[Write]:
    """A write cut at the sectors' bounds."""
    pieces = []
    at = 0
    while at < len(change.data):
        offset = change.offset + at
        size = min(SECTOR - offset % SECTOR, len(change.data) - at)
        pieces.append(Write(offset, change.data[at : at + size]))
        at += size
    return pieces
