"""The ledger's records as scripts get them in JSON, and times as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from smm_rules.facts import format_duration
from smm_rules.ledger.records import Intent, TrackedOrder, Transition, Watched


def moment(at: datetime | None, absent: str = "") -> str:
    """An instant to the second, UTC; `absent` where there is none."""
    return absent if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def ago(at: datetime, now: datetime) -> str:
    """How long ago `at` was, roughly: `3m`, `2h`, `5d`."""
    seconds = max(int((now - at).total_seconds()), 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def until(at: datetime, now: datetime) -> str:
    """When `at` will be: `now`, or `in 4m30s`."""
    return "now" if at <= now else f"in {format_duration(at - now)}"


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
