"""One attempt of an action on a panel, and what each way of ending means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from smm_rules.actions.existing import ORDER
from smm_rules.actions.port import ActingPanel
from smm_rules.actions.verdict import Ready
from smm_rules.ledger.records import Intent, IntentState, Outcome
from smm_rules.panel.answers import Refused
from smm_rules.panel.errors import (
    Ambiguous,
    NotSent,
    RateLimited,
    RefusalReason,
    Rejected,
    Unreadable,
)
from smm_rules.panel.refusals import asked_to_wait, refusal_reason, says_too_many_requests
from smm_rules.rules.model import StepKind

#: Reasons of outcomes that no panel gave.
ACCEPTED, NOT_REACHED, RATE_LIMITED = "accepted", "not_reached", "rate_limited"
AMBIGUOUS, UNREADABLE, INTERRUPTED, UNEXPECTED = "ambiguous", "unreadable", "interrupted", "unexpected"
STOPPED, LOST, KNOWN_ORDER = "stopped", "claim_lost", "known_order"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an action is tried before it is given up unsent.

    `attempts` bounds attempts that never reached the panel, with pauses that double from `first_pause` to
    `longest_pause`. `waiting` bounds how long the catalogue or the balance is waited for. A refill that came
    too early is asked for again after pauses from `first_refill_pause` to `longest_refill_pause`, or as long
    as the panel says, up to `longest_asked`. An action that has other panels to go to tries its own for
    `attempts_beside_others` attempts and waits for it for `waiting_beside_others`.
    """

    attempts: int = 10
    first_pause: timedelta = timedelta(seconds=30)
    longest_pause: timedelta = timedelta(minutes=30)
    waiting: timedelta = timedelta(hours=2)
    first_refill_pause: timedelta = timedelta(minutes=30)
    longest_refill_pause: timedelta = timedelta(hours=6)
    longest_asked: timedelta = timedelta(days=3)
    attempts_beside_others: int = 4
    waiting_beside_others: timedelta = timedelta(minutes=15)

    def pause(self, attempts: int) -> timedelta:
        """The pause after `attempts` attempts, at least one."""
        return min(self.first_pause * _doublings(attempts), self.longest_pause)

    def retry_at(self, attempts: int, now: datetime, asked: timedelta | None = None) -> datetime | None:
        """When to try again after `attempts` attempts; None when it is time to give up.

        `asked` is the panel's own word on how long to wait.
        """
        if attempts >= self.attempts:
            return None
        return now + (self.pause(attempts) if asked is None else max(asked, timedelta(seconds=1)))

    def refill_at(self, attempts: int, now: datetime, asked: timedelta | None) -> datetime | None:
        """When to ask again for a refill that came too early; None when it is time to give up."""
        if attempts >= self.attempts:
            return None
        if asked is not None and timedelta() < asked <= self.longest_asked:
            return now + asked
        return now + min(self.first_refill_pause * _doublings(attempts), self.longest_refill_pause)


def _doublings(attempts: int) -> int:
    times: int = 2 ** min(max(attempts, 1) - 1, 20)
    return times


async def send(panel: ActingPanel, kind: StepKind, ready: Ready) -> str:
    """Make the one call; the panel's ID for what it made, empty where it gives none."""
    if kind is StepKind.REFILL:
        return (await panel.refill(ready.parameters[ORDER])).id
    if kind is StepKind.CANCEL:
        return await _cancel(panel, ready.parameters[ORDER])
    if kind in (StepKind.REORDER, StepKind.ADD):
        return await panel.add(ready.parameters)
    raise ValueError(f"{kind} is not an action on a panel")


async def _cancel(panel: ActingPanel, order: str) -> str:
    answers = await panel.cancel((order,))
    answer = answers.get(order)
    if answer is None:
        raise Unreadable(f"the panel's answer doesn't speak of order {order}")
    if isinstance(answer, Refused) and says_too_many_requests(answer.message):
        raise RateLimited(answer.message)
    if isinstance(answer, Refused):
        raise Rejected(answer.message, refusal_reason(answer.message))
    return answer.id


def outcome_of(error: BaseException, intent: Intent, now: datetime, patience: Patience) -> Outcome:
    """What an attempt that ended with `error` came to. Whatever isn't known to be harmless is in doubt.

    `intent.attempts` counts this attempt too.
    """
    message = str(error) or type(error).__name__
    if isinstance(error, NotSent):
        retry_at = patience.retry_at(intent.attempts, now)
        return Outcome(IntentState.NOT_SENT, NOT_REACHED, message, retry_at=retry_at)
    if isinstance(error, RateLimited):
        retry_at = patience.retry_at(intent.attempts, now, error.retry_after)
        return Outcome(IntentState.NOT_SENT, RATE_LIMITED, message, retry_at=retry_at)
    if isinstance(error, Rejected) and _says_too_early(error, intent):
        return _too_early(error, intent, now, patience)
    if isinstance(error, Rejected):
        return Outcome(IntentState.REJECTED, error.reason.value, error.message)
    return Outcome(IntentState.UNKNOWN, _doubt(error), message)


def _says_too_early(error: Rejected, intent: Intent) -> bool:
    """Whether a refill is refused for now alone. Words such as "Wait 5 hours" need not name it."""
    if intent.kind is not StepKind.REFILL:
        return False
    reason = error.reason
    if reason is RefusalReason.UNRECOGNISED:
        reason = refusal_reason(f"refill {error.message}")
    return reason is RefusalReason.REFILL_TOO_EARLY


def _too_early(error: Rejected, intent: Intent, now: datetime, patience: Patience) -> Outcome:
    """Not now, rather than no: what is missing may still be delivered, so it mustn't be bought instead.

    It never counts as a refusal, however often it is said: given up, it is told to the operator.
    """
    retry_at = patience.refill_at(intent.attempts, now, asked_to_wait(error.message))
    message = f"too early for a refill, the panel says: {error.message}"
    return Outcome(IntentState.NOT_SENT, RefusalReason.REFILL_TOO_EARLY.value, message, retry_at=retry_at)


_DOUBTS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    ((Ambiguous, TimeoutError), AMBIGUOUS),
    (Unreadable, UNREADABLE),
)


def _doubt(error: BaseException) -> str:
    return next((reason for kind, reason in _DOUBTS if isinstance(error, kind)), UNEXPECTED)
