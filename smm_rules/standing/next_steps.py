"""What an intent's state means, and what there is to do about it."""

from __future__ import annotations

from smm_rules.actions.circumstances import BUYING
from smm_rules.actions.queueing import Behind
from smm_rules.ledger.records import Intent, IntentState


def what_next(intent: Intent, behind: Behind | None = None) -> tuple[str, ...]:
    """What to do now, a line each. `behind` says that it waits behind a stopped action, and which."""
    number = intent.id
    made = "ORDER" if intent.kind in BUYING else "[ID]"
    if intent.state is IntentState.UNKNOWN:
        return (
            f"Look at {intent.panel} whether it happened, then say so; until then nothing is sent again.",
            f"smm-rules intents resolve {number} --happened {made}",
            f"smm-rules intents resolve {number} --did-not            (--retry plans it anew)",
        )
    if intent.state is IntentState.HELD:
        return (
            "It waits for you, and is not sent until you say so.",
            f"smm-rules intents approve {number}",
            f"smm-rules intents deny {number}",
        )
    if behind is not None:
        other, stop = behind.other, behind.stop
        return (
            f"It waits for intent {other.id}, a {other.kind} about the same order, which is stopped. Let "
            "that one go on, or give it up:",
            f"smm-rules resume {stop.scope} {stop.name}".rstrip(),
            f"smm-rules intents deny {other.id}",
        )
    return (_SENTENCES[intent.state].format(panel=intent.panel, result=intent.result),)


_SENTENCES = {
    IntentState.PLANNED: "Nothing to do: the daemon sends it when its time has come.",
    IntentState.SENDING: "It is being sent. If the process that did so has died, the next start of the "
    "daemon puts it in doubt.",
    IntentState.CONFIRMED: "Nothing to do: {panel} accepted it.",
    IntentState.REJECTED: "{panel} refused it and did nothing. Steps under the rule's `otherwise` come next.",
    IntentState.NOT_SENT: "Nothing was sent, and it won't be tried again.",
    IntentState.DENIED: "You denied it: nothing was sent.",
}
