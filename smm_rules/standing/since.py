"""What has come to light since an action in doubt was sent: later statuses, other actions in flight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smm_rules.actions.existing import ORDER
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Intent, IntentState, Observation
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.standing.times import moment

_MANY = 1_000
_MOST_TOLD = 10
_IN_FLIGHT = (IntentState.SENDING, IntentState.UNKNOWN)
#: What is told of an order or refill.
_TELLING = ("status", "remains", "error")


@dataclass(frozen=True, slots=True)
class Since:
    """`observations` of the order it is about since it was sent; `in_flight` on the same panel."""

    observations: tuple[Observation, ...] = ()
    in_flight: tuple[Intent, ...] = ()


async def gather_since(ledger: SqlLedger, intent: Intent, now: datetime) -> Since:
    """Nothing for an action that isn't in doubt: its outcome is known."""
    if intent.state is not IntentState.UNKNOWN or intent.claimed_at is None:
        return Since()
    order = intent.parameters.get(ORDER, intent.entity.id)
    about = Entity(EntityKind.ORDER, intent.entity.panel, order)
    history = await ledger.history(about, intent.claimed_at, now, _MOST_TOLD)
    others = await ledger.intents(_IN_FLIGHT, _MANY)
    beside = [other for other in others if other.panel == intent.panel and other.id != intent.id]
    return Since(history, tuple(beside[:_MOST_TOLD]))


def since_in_words(since: Since) -> dict[str, str]:
    """A line for each, by what it is of."""
    lines = {
        f"order, {moment(one.at)}": ", ".join(
            f"{name} {one.facts[name]}" for name in _TELLING if one.facts.get(name) not in (None, "")
        )
        for one in since.observations
    }
    lines |= {
        f"intent {other.id}": f"{other.kind} for {other.entity} is {other.state}, sent "
        f"{moment(other.claimed_at, 'never')}: what it costs is in the same balance"
        for other in since.in_flight
    }
    return {name: text for name, text in lines.items() if text}


def since_shape(since: Since) -> dict[str, object]:
    """The same as scripts get it in JSON."""
    return {
        "observations": [{"at": one.at, "facts": one.facts} for one in since.observations],
        "in_flight": [
            {"intent": other.id, "kind": other.kind, "entity": str(other.entity), "state": other.state}
            for other in since.in_flight
        ],
    }
