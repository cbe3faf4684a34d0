"""The files beside a ledger in a file: whether the daemon can use its stamp, and whose they all are."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from smm_rules.cli.examination.finding import Finding, ok, problem, warning
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Heartbeat
from smm_rules.ledger.stamp import Stamp, StampFile, StampUnreadable
from smm_rules.polling.carried import STAMP

_READABLE_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def read_stamp(ledger: Path) -> Stamp | StampUnreadable | LedgerError | None:
    """The stamp, None when there is none, or why it makes no sense or can't be looked at."""
    try:
        return StampFile(ledger).read()
    except LedgerError as error:  # one that makes no sense is told as a hold
        return error


def stamp_finding(
    ledger: Path, stamp: Stamp | StampUnreadable | LedgerError | None, running: bool, beat: Heartbeat | None
) -> Finding:
    """Whether claims can be stamped, as the running daemon found and as it looks from here."""
    told = beat.detail.get(STAMP, "") if running and beat is not None else ""
    if isinstance(stamp, LedgerError) and not isinstance(stamp, StampUnreadable):
        told = told or str(stamp)
    path = StampFile(ledger).path
    if told:
        found, _, remedy = told.rpartition(": ")
        return problem("stamp", found or told, remedy[:1].upper() + remedy[1:])
    if stamp is None:
        return ok("stamp", f"{path} is not there yet; whoever opens the ledger first makes it")
    if not os.access(path, os.W_OK):
        found = f"{path} can't be written by you; nothing is sent unless the daemon's user can"
        return warning("stamp", found, "Run doctor as the daemon's user")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & _READABLE_BY_OTHERS:
        found = f"{path} is open to other users (mode {mode:04o}), who could hold everything up"
        return warning("stamp", found, f"chmod 600 {path}")
    return ok("stamp", f"{path} can be written")


def ownership_findings(ledger: Path) -> Iterator[Finding]:
    """Whether all files belong to one user, and nobody else can put others in their place."""
    owner = ledger.stat().st_uid
    wrong = [path for path in _beside(ledger) if path.stat().st_uid != owner]
    if wrong:
        whose = ", ".join(f"{path} to {user_name(path.stat().st_uid)}" for path in wrong)
        found = f"{ledger} belongs to {user_name(owner)}, but {whose}"
        yield problem("owner", found, f"chown {user_name(owner)} {' '.join(map(str, wrong))}")
    else:
        yield ok("owner", f"{user_name(owner)} has the ledger and all files beside it")
    mode = stat.S_IMODE(ledger.parent.stat().st_mode)
    if mode & _WRITABLE_BY_OTHERS and not mode & stat.S_ISVTX:
        found = (
            f"{ledger.parent} can be changed by other users (mode {mode:04o}): they could replace the ledger"
        )
        yield warning("directory", found, f"chmod go-w {ledger.parent}")


def _beside(ledger: Path) -> list[Path]:
    companions = [Path(f"{ledger}{ending}") for ending in ("-wal", "-shm", "-journal")]
    wanted = [StampFile(ledger).path, DaemonLock(ledger).path, *companions]
    return [path for path in wanted if path.exists()]


def user_name(user: int) -> str:
    """A user as `chown` takes it."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)
