"""An order that was asked for, brought to its end: by a running daemon, or by this process."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass

from smm_rules.actions import Executor, Patience, collect_evidence
from smm_rules.actions.port import Voice
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.terminal import errors
from smm_rules.clock import Clock
from smm_rules.engine.firing import Continuation
from smm_rules.ledger.port import LedgerError, StateConflict
from smm_rules.ledger.records import Intent, IntentState, Outcome
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.panel.client import PanelClient
from smm_rules.panel.errors import PanelError

#: States that somebody is still at work on.
UNDER_WAY = frozenset({IntentState.PLANNED, IntentState.SENDING})
#: How often the ledger is asked whether the daemon is done, in seconds.
_LOOK_EVERY = 0.2
#: This process attempts once: it won't be there to try again.
_ONCE = Patience(attempts=1)
#: The reason of what was planned and is not to be sent any more.
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class CarryingOut:
    """Where and by what an intent of the operator's is carried out."""

    ledger: SqlLedger
    client: PanelClient
    clock: Clock
    voice: Voice

    async def finish(self, intent: Intent, patience: float | None) -> Intent:
        """The intent as it stands in the end.

        A running daemon is left to do it, and waited for `patience` seconds, not at all with None. Without
        one it is sent from here; what couldn't be sent now is withdrawn, so that no daemon started later
        buys what the operator has been told was not bought.
        """
        left_to_daemon = await self.ledger.daemon() is not None
        try:
            if not left_to_daemon:
                intent = await self._send(intent)
            return await self._wait(intent, patience)
        except asyncio.CancelledError:
            await self._interrupted(intent, left_to_daemon)
            raise

    async def _send(self, intent: Intent) -> Intent:
        executor = Executor(
            self.ledger,
            {self.client.endpoint.name: self.client},
            owner=f"command:{os.getpid()}",
            clock=self.clock,
            voice=self.voice,
            patience=_ONCE,
        )
        try:
            after = await executor.run_one(intent.id)
        except LedgerError as error:
            raise _unwritten(intent, executor) or error from error
        lost = _unwritten(intent, executor)
        if lost is not None:
            raise lost
        assert after is not None
        if after.state is IntentState.UNKNOWN:
            return await self._with_evidence(after)
        return await self.withdraw(after) if after.state is IntentState.PLANNED else after

    async def _with_evidence(self, intent: Intent) -> Intent:
        """What the balance says of an action in doubt is best read at once; a daemon would, too."""
        panel = self.client.endpoint.name
        asked_at = self.clock.now()
        try:
            balance = await self.client.balance()
        except PanelError:
            return intent
        await collect_evidence(self.ledger, panel, balance, asked_at, self.clock.now())
        return await self.ledger.intent(intent.id) or intent

    async def withdraw(self, intent: Intent) -> Intent:
        """planned → not_sent; a daemon that has begun with it meanwhile goes before."""
        why = intent.message or "stopped before it was sent"
        outcome = Outcome(IntentState.NOT_SENT, intent.reason or WITHDRAWN, f"{why}; withdrawn")
        try:
            return await self.ledger.refuse(intent.id, outcome, Continuation(), self.clock.now())
        except StateConflict:
            return await self.ledger.intent(intent.id) or intent

    async def _interrupted(self, intent: Intent, left_to_daemon: bool) -> None:
        """Say how it stands before the command ends; what no daemon has must not be sent later."""
        after = await self.ledger.intent(intent.id) or intent
        if after.state is IntentState.PLANNED and not left_to_daemon:
            after = await self.withdraw(after)
        errors().print(
            f"Interrupted: intent {after.id} is {after.state}. "
            f"Before you place it again, look at: smm-rules intents show {after.id}"
        )

    async def _wait(self, intent: Intent, patience: float | None) -> Intent:
        """The intent once it has ended, or as it stands when patience has; not longer than of use."""
        if patience is None or intent.state not in UNDER_WAY:
            return intent
        deadline = time.monotonic() + patience
        while True:
            intent = await self.ledger.intent(intent.id) or intent
            left = deadline - time.monotonic()
            if intent.state not in UNDER_WAY or left <= 0 or self._sleeps_longer(intent, left):
                return intent
            await asyncio.sleep(min(_LOOK_EVERY, left))

    def _sleeps_longer(self, intent: Intent, seconds: float) -> bool:
        """Whether its next attempt lies beyond the time there is."""
        if intent.not_before is None:
            return False
        return self.clock.real_seconds(intent.not_before - self.clock.now()) > seconds


def _unwritten(intent: Intent, executor: Executor) -> Stop | None:
    """The error for an outcome that only this process knows, for the ledger didn't take it."""
    for settlement in executor.unwritten:
        outcome = settlement.outcome
        answer = " ".join(part for part in (outcome.state.value, outcome.result, outcome.message) if part)
        return Stop(
            f"The order was sent, and the ledger couldn't be written. The outcome was: {answer}. "
            f"Note it down: intent {intent.id} will be in doubt, and is to be resolved by it "
            f"(smm-rules intents resolve {intent.id} …). Do NOT place it again.",
            Exit.LEDGER,
        )
    return None
