"""What follows an outcome: the firing's next steps and the word to the operator, for one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from smm_rules.actions.failover import another
from smm_rules.actions.port import Voice
from smm_rules.engine.firing import Continuation, Firing, MessageDraft
from smm_rules.engine.steps import follow
from smm_rules.ledger.records import REFUSAL, Intent, IntentState, Outcome
from smm_rules.notify.operator import template_failed
from smm_rules.observe import get_logger

log = get_logger(__name__)

NOTHING = Continuation()


def continuation(
    voice: Voice,
    firing: Firing | None,
    intent: Intent,
    outcome: Outcome,
    messages: Sequence[MessageDraft] = (),
) -> Continuation:
    """The steps after `outcome`, with `messages` before theirs.

    A next action whose template failed is told to the operator: it will never be sent. Steps that can't be
    worked out must not lose an outcome: they are left out, and the log says so.
    """
    then = _steps(firing, intent, outcome)
    failed = then.intent if then.intent is not None and then.intent.failure else None
    more = [*messages, *then.messages]
    if failed is not None:
        told = template_failed(intent.rule, intent.entity, intent.episode, failed.step, failed.failure)
        more.append(voice.addressed(told))
    return replace(then, messages=tuple(more))


def _steps(firing: Firing | None, intent: Intent, outcome: Outcome) -> Continuation:
    if firing is None:
        return NOTHING
    if outcome.retry_at is not None:
        return Continuation(finished=False)
    # A step of `otherwise` stands on a refusal of before, which those after it may still tell of.
    refusal = outcome.message if outcome.state is IntentState.REJECTED else intent.evidence.get(REFUSAL, "")
    try:
        # What a panel couldn't do is asked of another before it counts as refused or given up.
        elsewhere = another(intent, outcome)
        if elsewhere is not None:
            return Continuation(intent=elsewhere, finished=False)
        return follow(firing, intent.step, outcome.state.value, outcome.result, refusal)
    except Exception as error:  # whatever it is, the outcome comes first
        log.error("action.steps_lost", intent=intent.id, step=intent.step, error=repr(error))
        return NOTHING


def as_settled(intent: Intent, outcome: Outcome, at: datetime) -> Intent:
    """`intent` as it will stand with `outcome`, for messages written in the same transaction."""
    return replace(
        intent,
        state=outcome.state,
        reason=outcome.reason,
        message=outcome.message,
        settled_at=at,
        result=outcome.result or intent.result,
    )
