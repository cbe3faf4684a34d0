"""Whose the files beside a ledger are: what root makes there must not be closed to the daemon."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def give_to_owner(descriptor: int, ledger: Path) -> None:
    """Give an open file to the owner of `ledger`, or of its directory where there is no ledger yet.

    Only root can and does. A file with a second name stays root's: whoever made that name might be given
    something that isn't the ledger's. `OSError` when the file system refuses.
    """
    if os.geteuid() != 0:
        return
    present, wanted = os.fstat(descriptor), _owner(ledger)
    ours_alone = stat.S_ISREG(present.st_mode) and present.st_nlink <= 1
    if ours_alone and (present.st_uid, present.st_gid) != wanted:
        os.fchown(descriptor, *wanted)


def _owner(ledger: Path) -> tuple[int, int]:
    try:
        found = ledger.stat()
    except FileNotFoundError:
        found = ledger.parent.stat()
    return found.st_uid, found.st_gid
