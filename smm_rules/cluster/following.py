"""Which rules this worker goes by: those in force, or none while its files are others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from smm_rules.cluster.lease import Lease
from smm_rules.cluster.rules import Adopted, SharedRules, digest_of
from smm_rules.daemon.rules_in_force import RulesInForce
from smm_rules.document.problem import DocumentError
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.port import Ledger, LedgerError
from smm_rules.notify.operator import OperatorVoice, reload_failed
from smm_rules.observe import get_logger
from smm_rules.observe.counters import Counters
from smm_rules.polling.carried import Carried
from smm_rules.rules.loader import LoadedRules

log = get_logger(__name__)

_PROBLEMS_RECORDED = 100


@dataclass(slots=True)
class Following:
    """Keeps `rules` in step with the set in force. `current` is set while this worker may decide."""

    rules: RulesInForce
    shared: SharedRules
    lease: Lease
    ledger: Ledger
    voice: OperatorVoice
    counters: Counters
    worker: str
    now: Callable[[], datetime]
    current: asyncio.Event = field(default_factory=asyncio.Event)
    behind: asyncio.Event = field(default_factory=asyncio.Event)
    _digest: str = ""
    _told_behind: int | None = None

    @property
    def generation(self) -> int | None:
        """The set this worker goes by, as the database numbers it; None while it goes by none."""
        return self.lease.rules

    async def start(self, carried: Carried, *, adopt: bool) -> None:
        """Find out at the start whether the files are those in force, newer, or older."""
        loaded = self.rules.loaded
        self.ledger.use_equal_services(loaded.equal)
        self._digest = digest_of(loaded)
        newest = await self.shared.newest()
        if newest is not None and newest.digest == self._digest:
            self._go_by(newest.generation)
        elif newest is None or adopt or not await self.shared.was_in_force(self._digest):
            await self._put_into_force(loaded, carried)
        else:
            self._fall_behind(newest.generation)

    def look(self) -> bool:
        """After a renewal of the lease: whether other rules are in force by now than this worker's."""
        newest = self.lease.newest_rules
        if newest is not None and newest != self.generation:
            self._stop_deciding()
        return self.generation is None

    async def follow(self) -> bool:
        """Read the files again; whether they are those in force."""
        newest = await self.shared.newest()
        try:
            fresh = await asyncio.to_thread(self.rules.read)
        except DocumentError:
            fresh = self.rules.loaded
        if newest is None:
            return False
        if digest_of(fresh) != newest.digest:
            self._fall_behind(newest.generation)
            return False
        self._take(fresh)
        self._go_by(newest.generation)
        log.info("worker.rules_followed", generation=newest.generation)
        return True

    async def reload(self, asked_by: str) -> bool:
        """Files changed, or a signal asks: put what they say into force for all; whether that was done."""
        try:
            fresh = await asyncio.to_thread(self.rules.read)
            if digest_of(fresh) == self._digest:
                return False  # nothing changed here: if others are in force, this worker is behind
            adopted = await self._put_into_force(fresh)
        except (DocumentError, LedgerError) as error:
            await self._refuse(error)
            return False
        self.counters.increment("reloads", result="done")
        log.info(
            "worker.rules_reloaded",
            generation=adopted.generation,
            rules=len(fresh.rules.rules),
            restarted=list(adopted.void),
            holds_ended=adopted.holds_ended,
            asked_by=asked_by,
        )
        return True

    async def _put_into_force(self, loaded: LoadedRules, carried: Carried | None = None) -> Adopted:
        adopted = await self.shared.put_into_force(loaded, self.rules.files, self.now(), carried)
        self._take(loaded)
        self._go_by(adopted.generation)
        return adopted

    def _take(self, loaded: LoadedRules) -> None:
        if loaded is not self.rules.loaded:
            self.rules.adopt(loaded)
        self._digest = digest_of(loaded)

    def _go_by(self, generation: int) -> None:
        self.lease.rules = generation
        self._told_behind = None
        self.behind.clear()
        self.current.set()

    def _stop_deciding(self) -> None:
        self.lease.rules = None
        self.current.clear()
        self.behind.set()

    def _fall_behind(self, generation: int) -> None:
        self._stop_deciding()
        if self._told_behind != generation:
            self._told_behind = generation
            log.error("worker.rules_behind", generation=generation, files=list(self.rules.files))

    async def _refuse(self, error: DocumentError | LedgerError) -> None:
        problems = [str(one) for one in error.problems] if isinstance(error, DocumentError) else [str(error)]
        count = len(self.rules.current().rules)
        self.counters.increment("reloads", result="failed")
        log.error("rules.reload_failed", problems=problems, kept=count)
        now = self.now()
        try:
            what = {"problems": problems[:_PROBLEMS_RECORDED], "kept": count}
            await self.ledger.audit(AuditKind.RELOAD_REFUSED, self.worker, "", what, now)
            await self.voice.tell(reload_failed(problems, now), now)
        except LedgerError as failure:
            log.error("rules.reload_untold", error=str(failure))
