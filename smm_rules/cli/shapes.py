"""The ledger's records as scripts get them in JSON, and times as people read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from smm_rules.ledger.alerts import Alert, AlertMessage, Silence
from smm_rules.ledger.records import Intent, QueuedMessage, TrackedOrder, Transition, Watched
from smm_rules.standing.times import ago as ago
from smm_rules.standing.times import moment as moment
from smm_rules.standing.times import until as until


def order_shape(order: TrackedOrder) -> dict[str, object]:
    """What intake and the chain know of an order."""
    return {
        "order": order.entity.id,
        "panel": order.entity.panel,
        "service": order.service,
        "parameters": order.parameters,
        "label": order.label,
        "source": order.source,
        "placed_at": order.placed_at,
        "tracked_at": order.tracked_at,
        "parent": None if order.parent is None else str(order.parent),
        "root": str(order.root),
        "chain_depth": order.depth,
        "refills": order.refills,
    }


def watched_shape(watched: Watched) -> dict[str, object]:
    """A watched order with its last known facts."""
    known = {} if watched.order is None else order_shape(watched.order)
    return {
        **known,
        "facts": watched.facts,
        "first_seen_at": watched.first_seen_at,
        "last_seen_at": watched.last_seen_at,
        "due_at": watched.due_at,
    }


def intent_shape(intent: Intent) -> dict[str, object]:
    """An intent with all that the ledger keeps of it."""
    return {
        "id": intent.id,
        "state": intent.state,
        "kind": intent.kind,
        "panel": intent.panel,
        "entity": intent.entity,
        "rule": intent.rule,
        "firing": intent.firing,
        "episode": intent.episode,
        "step": intent.step,
        "parameters": intent.parameters,
        "reason": intent.reason,
        "message": intent.message,
        "result": intent.result,
        "reserved": intent.reserved,
        "currency": intent.currency,
        "attempts": intent.attempts,
        "not_before": intent.not_before,
        "planned_at": intent.planned_at,
        "claimed_at": intent.claimed_at,
        "settled_at": intent.settled_at,
        "owner": intent.owner,
        "evidence": intent.evidence,
    }


def transition_shapes(transitions: Sequence[Transition]) -> list[dict[str, object]]:
    """Every change of an intent's state, the oldest first."""
    return [
        {
            "at": change.at,
            "before": change.before,
            "after": change.after,
            "reason": change.reason,
            "message": change.message,
            "by": change.by,
        }
        for change in transitions
    ]


def message_shape(message: QueuedMessage) -> dict[str, object]:
    """A message of the outbox with all that the ledger keeps of it."""
    return {
        "id": message.id,
        "state": message.state,
        "kind": message.kind,
        "channel": message.channel,
        "title": message.title,
        "body": message.body,
        "level": message.level,
        "key": message.dedup_key,
        "created_at": message.created_at,
        "next_attempt_at": message.next_attempt_at,
        "attempts": message.attempts,
        "revived": message.revived,
        "last_error": message.last_error,
        "alert": message.alert,
        "telling": message.telling,
        "why": message.why,
    }


def alert_shape(alert: Alert, messages: Sequence[AlertMessage]) -> dict[str, object]:
    """An alert, and how many of its messages stand how."""
    return {
        "id": alert.id,
        "state": alert.state,
        "rule": alert.rule,
        "entity": alert.entity,
        "level": alert.level,
        "episode": alert.episode,
        "fired_at": alert.fired_at,
        "acknowledged_at": alert.acknowledged_at,
        "acknowledged_by": alert.acknowledged_by,
        "acknowledged_why": alert.acknowledged_why,
        "resolved_at": alert.resolved_at,
        "counts": dict(Counter(one.state.value for one in messages)),
        "reasons": sorted({one.why for one in messages if one.why}),
    }


def alert_message_shape(message: AlertMessage) -> dict[str, object]:
    """A message of an alert, in short."""
    return {
        "id": message.id,
        "telling": message.telling,
        "channel": message.channel,
        "state": message.state,
        "why": message.why,
        "attempts": message.attempts,
    }


def silence_shape(silence: Silence) -> dict[str, object]:
    """A silence; `matcher` has what it asks for."""
    return {
        "id": silence.id,
        "matcher": silence.matcher.given,
        "reason": silence.reason,
        "by": silence.by,
        "since": silence.since,
        "until": silence.until,
        "ended_at": silence.ended_at,
        "ended_by": silence.ended_by,
    }
