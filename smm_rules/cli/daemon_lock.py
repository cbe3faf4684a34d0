"""Whether a daemon runs on a ledger, found out without getting in its way."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from smm_rules.ledger.lock import DaemonLock


def daemon_runs(ledger: Path) -> bool:
    """Whether some process holds the ledger's daemon lock now.

    Never makes the lock's file: one that belongs to the wrong user would keep the daemon out.
    """
    try:
        descriptor = os.open(DaemonLock(ledger).path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False  # no daemon has ever run here, or none that this user may see
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
