"""The daemon stays the only one on its ledger: a lock in a database can be lost while its process lives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from smm_rules.ledger.opening import Lock
from smm_rules.ledger.port import LedgerError
from smm_rules.observe import get_logger

log = get_logger(__name__)

#: How often the lock is looked at, in seconds of the machine's time.
LOOK_SECONDS = 5.0


@dataclass(slots=True)
class SoleDaemon:
    """Keeps the daemon's lock. Once another process has it, `stop` is called: it works on, this one ends."""

    lock: Lock
    stop: Callable[[], None]
    lost: bool = False

    async def look(self) -> None:
        """Take the lock again if the server dropped it; nothing while the server is away."""
        try:
            kept = await asyncio.to_thread(self.lock.keep)
        except LedgerError:
            return  # whatever needs the ledger says so
        if not kept and not self.lost:
            self.lost = True
            log.error("daemon.lock_lost")
            self.stop()

    def check(self) -> None:
        """`LedgerError` when that was why the daemon ended."""
        if self.lost:
            raise LedgerError(
                "another daemon took over this ledger while its server was away; stop one of the two"
            )
