"""The stamp: a small file beside the ledger that knows how far the ledger had come.

A ledger that is put back from a copy has forgotten what was done since, and would do it again: pay twice. The
ledger alone can't tell, so `<ledger>.stamp` keeps the head of its record of decisions and follows it:

- every transaction that adds to the record moves the stamp, once it is durable;
- a claim's stamp is durable before the first byte of its request leaves.

So the stamp is never ahead of its ledger, whatever moment the power fails at, and a ledger that is behind its
stamp is an older copy. The file has two slots which are written in turn, each with a checksum: a write that
was cut off leaves the other. The stamp also knows its own inode, so that a copy of it, as from a file backup
of the whole directory, is told from the original.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from smm_rules.ledger.audit import Head
from smm_rules.ledger.ownership import give_to_owner
from smm_rules.ledger.port import LedgerError

#: Where the two slots begin, in bytes. The file is sparse: it takes two blocks of a disk.
_SLOTS = (0, 65_536)
_SLOT_SIZE = 65_536
_CHECKSUM = 64
#: How many panels' last orders are kept; those confirmed last.
_MOST_PANELS = 200
_FORMAT = 1
#: FS_IOC_GETVERSION: a number that the file system gives an inode anew each time it is used again.
_GET_GENERATION = 0x8008_7601


@dataclass(frozen=True, slots=True)
class Stamp:
    """How far a ledger had come.

    `ledger` is its identity, `head` the end of its record of decisions at `at`. `intents` is the highest
    ID of an intent handed out, `claims` how many claims were stamped. `orders` is the last order that each
    panel confirmed. `original` is false when the file is a copy of the one that was stamped.
    """

    ledger: str
    head: Head
    at: datetime
    intents: int = 0
    claims: int = 0
    orders: Mapping[str, str] = field(default_factory=dict)
    original: bool = True


class StampUnreadable(LedgerError):
    """There is a stamp, and neither of its slots makes sense."""


class StampFile:
    """Reads and moves the stamp of the ledger at a path. Several processes may."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger.resolve()
        self.path = self._ledger.with_name(self._ledger.name + ".stamp")

    def read(self) -> Stamp | None:
        """The stamp; None when there is none. `StampUnreadable` when it makes no sense.

        Any other `LedgerError` says why the file couldn't be looked at: it may be in order.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LedgerError(_cannot("read", self.path, error)) from error
        try:
            return self._latest_in(descriptor)
        except OSError as error:
            raise LedgerError(_cannot("read", self.path, error)) from error
        finally:
            os.close(descriptor)

    def _latest_in(self, descriptor: int) -> Stamp | None:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        latest = _latest(descriptor)
        if latest is None:
            if os.fstat(descriptor).st_size == 0:
                return None  # made by a process that died before it wrote
            raise StampUnreadable(f"{self.path}: neither of its two slots can be read")
        return latest[1]

    def move(self, stamp: Stamp, *, durable: bool) -> None:
        """Write `stamp` unless the file is further already; with `durable` it survives a loss of power.

        What the stamp before knew of orders and claims is kept. `LedgerError` when it can't be written.
        """
        try:
            with self._locked() as descriptor:
                latest = _latest(descriptor)
                known = latest[1] if latest is not None else None
                if known is None or known.ledger != stamp.ledger:
                    self._write(descriptor, latest, stamp)
                else:
                    self._write(descriptor, latest, _merged(known, stamp))
                if durable:
                    os.fdatasync(descriptor)
        except OSError as error:
            raise LedgerError(_cannot("written", self.path, error)) from error

    def begin(self, stamp: Stamp) -> None:
        """Put `stamp` in the place of whatever the file says, durably: the ledger was taken for the right
        one. The file is made when there is none, and belongs to the ledger's owner whoever makes it."""
        try:
            with self._locked() as descriptor:
                give_to_owner(descriptor, self._ledger)
                self._write(descriptor, _latest(descriptor), stamp)
                os.fsync(descriptor)
            _sync_directory(self.path.parent)
        except OSError as error:
            raise LedgerError(_cannot("written", self.path, error)) from error

    @contextmanager
    def _locked(self) -> Iterator[int]:
        # Not through a link: where it leads, root would write by the word of whoever made it.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self.path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _write(self, descriptor: int, latest: tuple[int, Stamp] | None, stamp: Stamp) -> None:
        """Into the slot that doesn't hold the latest, so that it stays if this write is cut off."""
        turn = 1 if latest is None else latest[0] + 1
        body = _encoded(turn, stamp, _mark(descriptor))
        text = sha256(body).hexdigest().encode() + body
        written = os.pwrite(descriptor, text, _SLOTS[turn % 2])
        if written != len(text):
            raise OSError(28, "the stamp was written in part only")


def _merged(known: Stamp, news: Stamp) -> Stamp:
    """The further of two stamps of one ledger, with all that either knows."""
    further = known if known.head.id >= news.head.id else news
    before = {panel: order for panel, order in known.orders.items() if panel not in news.orders}
    orders = dict([*before.items(), *news.orders.items()][-_MOST_PANELS:])
    intents = max(known.intents, news.intents)
    return replace(further, orders=orders, claims=known.claims + news.claims, intents=intents)


def _latest(descriptor: int) -> tuple[int, Stamp] | None:
    """The slot written last, with its turn; None when neither can be read."""
    mark = _mark(descriptor)
    found = [slot for slot in (_slot(descriptor, start, mark) for start in _SLOTS) if slot is not None]
    return max(found, key=lambda slot: slot[0], default=None)


def _slot(descriptor: int, start: int, mark: list[int]) -> tuple[int, Stamp] | None:
    text = os.pread(descriptor, _SLOT_SIZE, start)
    checksum, body = text[:_CHECKSUM], text[_CHECKSUM:].split(b"\n", 1)[0] + b"\n"
    if sha256(body).hexdigest().encode() != checksum:
        return None
    try:
        return _decoded(json.loads(body), mark)
    except (KeyError, TypeError, ValueError):
        return None


def _encoded(turn: int, stamp: Stamp, mark: list[int]) -> bytes:
    written = {
        "format": _FORMAT,
        "turn": turn,
        "ledger": stamp.ledger,
        "head": str(stamp.head),
        "at": stamp.at.isoformat(),
        "intents": stamp.intents,
        "claims": stamp.claims,
        "orders": dict(stamp.orders),
        "file": mark,
    }
    return json.dumps(written, separators=(",", ":")).encode("ascii") + b"\n"


def _decoded(written: dict[str, Any], mark: list[int]) -> tuple[int, Stamp]:
    stamp = Stamp(
        ledger=written["ledger"],
        head=Head.parse(written["head"]),
        at=datetime.fromisoformat(written["at"]),
        intents=int(written["intents"]),
        claims=int(written["claims"]),
        orders={str(panel): str(order) for panel, order in written["orders"].items()},
        original=written["file"] == mark,
    )
    return int(written["turn"]), stamp


def _mark(descriptor: int) -> list[int]:
    """What tells this very file from a copy: its inode, and the inode's generation where there is one."""
    inode = os.fstat(descriptor).st_ino
    try:
        answer = fcntl.ioctl(descriptor, _GET_GENERATION, b"\0" * 8)
    except OSError:
        return [inode, 0]
    return [inode, struct.unpack("=I", answer[:4])[0]]


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cannot(verb: str, path: Path, error: OSError) -> str:
    return (
        f"the stamp {path} can't be {verb}: {error.strerror or error}; nothing is sent without it: "
        "check who owns it, and that there is room on the disk"
    )
