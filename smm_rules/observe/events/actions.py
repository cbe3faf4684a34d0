"""Events of actions."""

from __future__ import annotations

from smm_rules.observe.event import Event

_WHAT = ("intent", "kind", "panel", "entity")

EVENTS: tuple[Event, ...] = (
    Event(
        "action.confirmed",
        "info",
        (*_WHAT, "result"),
        "The panel took an action; `result` is its ID for what it made, empty where it gives none.",
    ),
    Event(
        "action.rejected",
        "warning",
        (*_WHAT, "reason", "detail"),
        "The panel refused an action, in the words of `detail`. Nothing was done; `otherwise:` goes on.",
        "Look at the panel's words if it happens often.",
    ),
    Event(
        "action.unknown",
        "error",
        (*_WHAT, "reason", "detail"),
        "Nobody knows whether the panel acted. It is never sent again by itself; the operator is told.",
        "Look at the panel, then `smm-rules intents resolve ID --happened ORDER` or `--did-not`.",
    ),
    Event(
        "action.not_sent",
        "warning",
        (*_WHAT, "reason", "detail"),
        "An action was given up without the panel having acted; `detail` says why and what to do.",
        "Do as `detail` says, and place the order by hand if it is still wanted.",
    ),
    Event(
        "action.postponed",
        "info",
        (*_WHAT, "reason", "detail", "retry_at"),
        "An action wasn't sent, or the panel wasn't reached; it is tried again at `retry_at`.",
    ),
    Event(
        "action.held",
        "warning",
        ("intent", "reason", "detail"),
        "An action waits for the operator.",
        "`smm-rules intents show ID`, then `smm-rules intents approve ID` or `deny ID`.",
    ),
    Event(
        "action.stopped",
        "info",
        ("intent",),
        "An action stays planned: a pause or a breaker began just before it was to be sent.",
    ),
    Event("action.approved", "info", ("intent", "by"), "The operator let a held action go ahead."),
    Event("action.denied", "info", ("intent", "by"), "The operator turned a held action down."),
    Event(
        "action.resolved",
        "warning",
        ("intent", "verdict", "result", "by"),
        "The operator said what became of an action in doubt.",
    ),
    Event(
        "action.evidence",
        "info",
        ("intent", "panel", "suggests"),
        "A balance was read after an action fell into doubt; `suggests` is what it speaks for.",
        "`smm-rules intents show ID` shows the figures; the verdict is yours.",
    ),
    Event(
        "action.claimed_elsewhere",
        "info",
        ("intent",),
        "Another process was faster with an action; it is left to that one.",
    ),
    Event(
        "action.waits_behind_stopped",
        "warning",
        ("intent", "behind", "kind", "scope", "name"),
        "An action waits behind a stopped one about the same order; told once for a stop and a rule.",
        "Let the earlier one go on (`smm-rules resume …`) or give it up (`smm-rules intents deny ID`).",
    ),
    Event(
        "action.claim_lost",
        "warning",
        ("intent",),
        "An action was about to be sent when its claim was found to be taken for dead; nothing was sent.",
        "The process stood still for long: see that the machine doesn't sleep and isn't short of memory.",
    ),
    Event(
        "action.changed_elsewhere",
        "info",
        ("intent", "error"),
        "An action was changed by another process while it was being looked at; that change stands.",
    ),
    Event(
        "action.check_failed",
        "error",
        ("intent", "error"),
        "The check before an action failed itself; the action is held, nothing was sent.",
        "Report this as a defect, with the log around it.",
    ),
    Event(
        "action.steps_lost",
        "error",
        ("intent", "step", "error"),
        "The steps after an action couldn't be worked out; the outcome itself is safe.",
        "Report this as a defect, with the log around it; do by hand what the rule's next steps say.",
    ),
    Event(
        "action.settle_failed",
        "error",
        ("intent", "state", "result", "error"),
        "The ledger didn't take an outcome; it is kept in memory and tried again by the next run.",
        "Mend what `error` says before stopping the daemon; else the action will be in doubt.",
    ),
    Event(
        "action.settle_conflict",
        "error",
        ("intent", "state", "error"),
        "An answer came for an action that was taken for dead meanwhile; it settles the doubt or is noted.",
        "See that no second daemon works on this ledger.",
    ),
)
