"""Keeps a worker's lease, and takes over from workers whose lease has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from smm_rules.actions.evidence import tell_in_doubt
from smm_rules.cluster.database import Database, ServerAway
from smm_rules.cluster.lease import Lease
from smm_rules.cluster.runs import OWNER_PREFIX, epoch_of
from smm_rules.daemon.recovery import recover
from smm_rules.ledger.port import Ledger, LedgerError
from smm_rules.notify.operator import OperatorVoice
from smm_rules.observe import get_logger
from smm_rules.observe.counters import Counters

log = get_logger(__name__)

#: The pause before the server is tried again, in seconds, while it doesn't answer.
AGAIN_SECONDS = 0.3
#: A lease that ran out while the server was away says nothing of its worker: after its start the server gives
#: everybody the time of a lease to come back.
_END_EXPIRED = """
  UPDATE leases SET ended_at = clock_timestamp()
  WHERE ended_at IS NULL AND lease_until < clock_timestamp()
    AND pg_postmaster_start_time() < clock_timestamp() - %s
  RETURNING epoch, worker
"""
#: A stopped worker may hold a lock or be in the middle of a transaction: its sessions end with its lease.
_END_SESSIONS = """
  SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = ANY(%s) AND pid <> pg_backend_pid()
"""
_FREE_READS = "DELETE FROM reads WHERE epoch = ANY(%s::bigint[])"
#: Whoever claims and has no lease any more will never settle in time. Also finds what a takeover that was cut
#: off in the middle left undone.
_ORPHANS = f"""
  SELECT DISTINCT owner FROM intents WHERE state = 'sending' AND owner LIKE '{OWNER_PREFIX}%%'
    AND NOT EXISTS (
      SELECT 1 FROM leases WHERE ended_at IS NULL AND owner = '{OWNER_PREFIX}' || epoch
    )
"""  # noqa: S608 - only a constant is put in
_FORGET_ENDED = "DELETE FROM leases WHERE ended_at < clock_timestamp() - interval '30 days'"


@dataclass(slots=True)
class Keeper:
    """Renews `lease` and watches those of others. `lost` is awaited when the lease was ended by somebody
    else."""

    lease: Lease
    database: Database
    ledger: Ledger
    voice: OperatorVoice
    counters: Counters
    now: Callable[[], datetime]
    stale_claim: timedelta
    lost: Callable[[], Awaitable[object]]
    renewed: Callable[[], object] = lambda: None
    _away: bool = False
    _untold: bool = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`: renew, look for workers that are gone."""
        while not stopping.is_set():
            pause = self.lease.renew_every if await self._round() else AGAIN_SECONDS
            try:
                await asyncio.wait_for(stopping.wait(), pause)
            except TimeoutError:
                continue

    async def _round(self) -> bool:
        """One renewal and a look around; False when the server didn't answer."""
        try:
            if not await self.lease.renew():
                await self.lost()
            self.renewed()
            await self.take_over()
        except LedgerError as error:
            if not self._away:
                log.warning("worker.server_away", error=str(error), lease_left=round(self.lease.left(), 1))
            self._away = True
            return not isinstance(error, ServerAway)
        if self._away:
            log.info("worker.server_back")
        self._away = False
        return True

    async def take_over(self) -> int:
        """End the leases that ran out, and put in doubt what their workers were sending; how many actions."""
        ended = await self.database.rows(_END_EXPIRED, (self.lease.length,))
        if ended:
            epochs, workers = [row[0] for row in ended], [row[1] for row in ended]
            await self.database.rows(_END_SESSIONS, (workers,))
            await self.database.rows(_FREE_READS, (epochs,))
            await self.database.rows(_FORGET_ENDED)
            self.counters.increment("workers_lost", amount=len(ended))
            log.error("worker.taken_for_dead", workers=workers, epochs=epochs)
        orphans = [str(row[0]) for row in await self.database.rows(_ORPHANS)]
        if ended or orphans:
            self._untold = True  # also of what one of those who are gone was about to tell
        in_doubt = 0
        for owner in orphans:
            if epoch_of(owner) is not None:
                in_doubt += await recover(self.ledger, self.voice, owner, self.stale_claim, self.now())
        if self._untold:
            await tell_in_doubt(self.ledger, self.voice, self.now())
            self._untold = False
        return in_doubt
