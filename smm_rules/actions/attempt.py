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
    Rejected,
    Unreadable,
)
from smm_rules.panel.refusals import refusal_reason, says_too_many_requests
from smm_rules.rules.model import StepKind

#: Reasons of outcomes that no panel gave.
ACCEPTED, NOT_REACHED, RATE_LIMITED = "accepted", "not_reached", "rate_limited"
AMBIGUOUS, UNREADABLE, INTERRUPTED, UNEXPECTED = "ambiguous", "unreadable", "interrupted", "unexpected"
STOPPED, KNOWN_ORDER = "stopped", "known_order"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an action is tried before it is given up unsent.

    `attempts` bounds attempts that never reached the panel, with pauses that double from `first_pause` to
    `longest_pause`. `waiting` bounds how long the catalogue or the balance is waited for.
    """

    attempts: int = 10
    first_pause: timedelta = timedelta(seconds=30)
    longest_pause: timedelta = timedelta(minutes=30)
    waiting: timedelta = timedelta(hours=2)

    def pause(self, attempts: int) -> timedelta:
        """The pause after `attempts` attempts, at least one."""
        doublings: int = 2 ** min(max(attempts, 1) - 1, 20)
        return min(self.first_pause * doublings, self.longest_pause)

    def retry_at(self, attempts: int, now: datetime, asked: timedelta | None = None) -> datetime | None:
        """When to try again after `attempts` attempts; None when it is time to give up.

        `asked` is the panel's own word on how long to wait.
        """
        if attempts >= self.attempts:
            return None
        return now + (self.pause(attempts) if asked is None else max(asked, timedelta(seconds=1)))


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
    if isinstance(error, Rejected):
        return Outcome(IntentState.REJECTED, error.reason.value, error.message)
    return Outcome(IntentState.UNKNOWN, _doubt(error), message)


_DOUBTS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    ((Ambiguous, TimeoutError), AMBIGUOUS),
    (Unreadable, UNREADABLE),
)


def _doubt(error: BaseException) -> str:
    return next((reason for kind, reason in _DOUBTS if isinstance(error, kind)), UNEXPECTED)
