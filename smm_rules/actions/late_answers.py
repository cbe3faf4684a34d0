"""An answer that comes when its attempt has been resolved otherwise: kept, and told where it cost money."""

from __future__ import annotations

from datetime import datetime

from smm_rules.actions.port import ActionLedger, Voice
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import LATE_ANSWER, Intent, IntentState, Outcome
from smm_rules.notify.operator import answered_late
from smm_rules.observe import get_logger

log = get_logger(__name__)


async def take_late_answer(
    ledger: ActionLedger, voice: Voice, intent: Intent, outcome: Outcome, now: datetime
) -> None:
    """Keep what became of the attempt `intent.attempts` beside what the ledger has of it.

    Where the panel acted after all, the operator is told, for nobody watches what it made; and what is
    planned once more, on the word that it hadn't acted, is held.
    """
    answer = " ".join(part for part in (outcome.state.value, outcome.result, outcome.message) if part)
    await ledger.note(intent.id, {LATE_ANSWER: answer})
    known = await ledger.intent(intent.id)
    if outcome.state is not IntentState.CONFIRMED or known is None or _says_so(known, intent, outcome):
        return
    if known.state is IntentState.PLANNED:
        what = f"attempt {intent.attempts} was answered late: {answer}"
        try:
            await ledger.hold(intent.id, LATE_ANSWER, what, now)
        except StateConflict:
            log.info("action.changed_elsewhere", intent=intent.id, error=what)
    await ledger.enqueue(voice.addressed(answered_late(intent, outcome.result)), now)


def _says_so(known: Intent, intent: Intent, outcome: Outcome) -> bool:
    """Whether the ledger has this very outcome: it was written, and nobody said so."""
    return (known.state, known.attempts, known.result) == (outcome.state, intent.attempts, outcome.result)
