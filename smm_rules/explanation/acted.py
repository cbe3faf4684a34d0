"""What came of an episode that fired."""

from __future__ import annotations

from smm_rules.explanation.model import Cause, Records, Standing
from smm_rules.explanation.verdict import Verdict
from smm_rules.explanation.words import moment
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.rules.model import Rule

#: What is most in need of the operator comes first.
_URGENT = (IntentState.UNKNOWN, IntentState.HELD)
_HELD_BECAUSE = {
    "dry_run": "the mode is dry_run, in which nothing is sent to a panel",
    "restored": "the ledger was put back from a copy, so it may have been done already",
    "limit_per_sweep": "more than limit.per_sweep would have acted in one look",
}


def acted(rule: Rule, standing: Standing, records: Records) -> Verdict:
    """The rule has fired for this episode: whether what it asked for was done, and if not, why."""
    memory = records.memory
    assert memory is not None
    assert memory.fired_at is not None
    fired = f"it fired at {moment(memory.fired_at)}"
    ours = [intent for intent in records.intents if intent.episode == memory.true_since]
    if not ours:
        return Verdict(Cause.FIRED, fired, _again(rule, standing))
    urgent = [intent for state in _URGENT for intent in ours if intent.state is state]
    return _of(urgent[0] if urgent else ours[0], fired, rule, standing)


def _of(intent: Intent, fired: str, rule: Rule, standing: Standing) -> Verdict:
    what = f"its {intent.kind} (intent {intent.id})"
    said = intent.message or intent.reason
    match intent.state:
        case IntentState.UNKNOWN:
            return Verdict(
                Cause.ACTION_IN_DOUBT,
                f"{fired}, but nobody knows whether {what} happened: {said}",
                f"look at the panel, then: smm-rules intents resolve {intent.id} "
                "--happened ORDER or --did-not",
            )
        case IntentState.HELD:
            because = _HELD_BECAUSE.get(intent.reason, said)
            return Verdict(Cause.ACTION_HELD, f"{fired}, but {what} is held: {because}", _let_go(intent))
        case IntentState.PLANNED | IntentState.SENDING:
            return Verdict(
                Cause.ACTION_WAITING,
                f"{fired}, and {what} is {intent.state}{f': {said}' if said else ''}",
                _when_sent(intent),
            )
        case IntentState.REJECTED:
            return Verdict(
                Cause.ACTION_REFUSED,
                f"{fired}, but the panel refused {what}: {said}",
                "write what to do then under `otherwise:`" if not rule.otherwise else "",
            )
        case IntentState.NOT_SENT:
            return Verdict(
                Cause.ACTION_NOT_SENT,
                f"{fired}, but {what} was not sent: {said}",
                f"mend that; see smm-rules intents show {intent.id}",
            )
        case IntentState.DENIED:
            return Verdict(Cause.ACTION_DENIED, f"{fired}, but {what} {_denied(intent)}")
        case IntentState.CONFIRMED:
            result = f", the panel's ID is {intent.result}" if intent.result else ""
            return Verdict(Cause.FIRED, f"{fired}, and {what} was done{result}", _again(rule, standing))
    raise AssertionError(intent.state)


def _denied(intent: Intent) -> str:
    if intent.reason == "shadow":
        return "was only written down: the rule or the daemon is in the shadow (mode: shadow)"
    if intent.reason == "expired":
        return "waited for an approval until that expired"
    return "was denied by the operator"


def _let_go(intent: Intent) -> str:
    if intent.reason == "dry_run":
        return f"say mode: live, then: smm-rules intents approve {intent.id}"
    return f"smm-rules intents approve {intent.id}, or deny"


def _when_sent(intent: Intent) -> str:
    if intent.not_before is not None:
        return f"it is tried again at {moment(intent.not_before)}"
    return "a running daemon sends it"


def _again(rule: Rule, standing: Standing) -> str:
    ending = "its `until` is true" if rule.until is not None else "the condition is false"
    return f"it fires for this {standing.entity.kind} again once {ending} and the condition begins anew"
