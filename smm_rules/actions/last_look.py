"""The last look at a claimed action, right before its first byte: was it stopped meanwhile, or taken away?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smm_rules.actions.attempt import LOST, STOPPED
from smm_rules.actions.port import ActionLedger
from smm_rules.clock import Clock
from smm_rules.ledger.records import Intent, IntentState, Leave, Outcome
from smm_rules.panel.sending import Withheld

_WORDS = {
    Leave.STOPPED: "it was stopped after it was claimed and before it was sent",
    Leave.LOST: "its claim was taken for dead before it was sent",
}


@dataclass(slots=True)
class LastLook:
    """Asks the ledger whether `intent`, claimed by `owner` as its last attempt, may still leave.

    Nothing has left when it may not: `outcome` says so. Nor has anything when the ledger couldn't be asked.
    """

    ledger: ActionLedger
    intent: Intent
    owner: str
    clock: Clock
    leave: Leave = Leave.YES

    async def __call__(self) -> None:
        """`Withheld` when it may not leave."""
        intent = self.intent
        self.leave = await self.ledger.may_leave(intent.id, self.owner, intent.attempts, self.clock.now())
        if self.leave is not Leave.YES:
            raise Withheld(_WORDS[self.leave])

    def outcome(self, now: datetime) -> Outcome | None:
        """What an attempt came to that was held back: it is planned as before. None when it wasn't."""
        if self.leave is Leave.YES:
            return None
        reason = STOPPED if self.leave is Leave.STOPPED else LOST
        return Outcome(IntentState.NOT_SENT, reason, _WORDS[self.leave], retry_at=now)
