"""Writing an outcome down, whatever happens meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smm_rules.actions.late_answers import take_late_answer
from smm_rules.actions.port import ActionLedger, Voice
from smm_rules.actions.unbroken import unbroken
from smm_rules.engine.firing import Continuation
from smm_rules.ledger.port import LedgerError, StateConflict
from smm_rules.ledger.records import Intent, IntentState, Outcome
from smm_rules.observe import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Settlement:
    """An outcome to be written down for an intent, with what follows, and when it was known.

    It is that of the attempt which `intent.attempts` counts last, and of no other.
    """

    intent: Intent
    outcome: Outcome
    then: Continuation
    at: datetime


class Settling:
    """Settles intents. What the ledger wouldn't take is kept and tried again.

    Should the process end before it could be written, the intent is still `sending` in the ledger and the
    next boot makes it `unknown`: in doubt, never lost.
    """

    def __init__(self, ledger: ActionLedger, voice: Voice, owner: str) -> None:
        self._ledger = ledger
        self._voice = voice
        self._owner = owner
        self._unwritten: list[Settlement] = []

    @property
    def unwritten(self) -> tuple[Settlement, ...]:
        """Outcomes known to this process alone."""
        return tuple(self._unwritten)

    async def settle(self, settlement: Settlement) -> bool:
        """Write an outcome to its end even when cancelled; whether the waiting task was asked to stop."""
        _, stopped = await unbroken(self._write(settlement))
        return stopped

    async def prove(self, settlement: Settlement) -> bool:
        """Resolve what somebody put in doubt by what is known here; like `settle` otherwise.

        Who resolved it meanwhile, or has claimed it again, goes before. What the ledger doesn't take is not
        tried again: it stays in doubt.
        """
        _, stopped = await unbroken(self._prove(settlement))
        return stopped

    async def settle_again(self) -> None:
        """Try what the ledger wouldn't take before."""
        waiting, self._unwritten = self._unwritten, []
        for settlement in waiting:
            await self.settle(settlement)

    async def _write(self, settlement: Settlement) -> None:
        intent, outcome = settlement.intent, settlement.outcome
        try:
            await self._ledger.settle(
                intent.id, outcome, settlement.then, settlement.at, self._owner, intent.attempts
            )
        except StateConflict as conflict:
            await self._write_proof(settlement, conflict)
        except Exception as error:  # any failure to write must keep what is known
            _tell_failed(intent, outcome, error)
            self._unwritten.append(settlement)

    async def _write_proof(self, settlement: Settlement, conflict: StateConflict) -> None:
        """Somebody took the attempt for dead and put it in doubt; what is known now is the proof."""
        intent, outcome = settlement.intent, settlement.outcome
        log.error("action.settle_conflict", intent=intent.id, state=outcome.state.value, error=str(conflict))
        if outcome.state not in (IntentState.CONFIRMED, IntentState.NOT_SENT):
            await self._take_late_answer(settlement)
            return
        try:
            await self._resolve(settlement)
        except LedgerError as error:
            _tell_failed(intent, outcome, error)
            self._unwritten.append(settlement)

    async def _prove(self, settlement: Settlement) -> None:
        try:
            await self._resolve(settlement)
        except LedgerError as error:
            _tell_failed(settlement.intent, settlement.outcome, error)

    async def _resolve(self, settlement: Settlement) -> None:
        intent, outcome = settlement.intent, settlement.outcome
        try:
            await self._ledger.resolve(
                intent.id, outcome, settlement.then, settlement.at, self._owner, intent.attempts
            )
        except StateConflict:
            # Resolved by the operator meanwhile, or tried again: their word stands, ours is kept beside it.
            await self._take_late_answer(settlement)

    async def _take_late_answer(self, settlement: Settlement) -> None:
        intent, outcome = settlement.intent, settlement.outcome
        try:
            await take_late_answer(self._ledger, self._voice, intent, outcome, settlement.at)
        except LedgerError as error:
            _tell_failed(intent, outcome, error)
            self._unwritten.append(settlement)


def _tell_failed(intent: Intent, outcome: Outcome, error: Exception) -> None:
    log.error(
        "action.settle_failed",
        intent=intent.id,
        state=outcome.state.value,
        result=outcome.result,
        error=str(error),
    )
