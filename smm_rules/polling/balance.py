"""A look at a panel's balance."""

from __future__ import annotations

from smm_rules.engine.balance_facts import observe_balance
from smm_rules.engine.snapshots import complete
from smm_rules.facts import Entity, EntityKind, Snapshot
from smm_rules.ledger.records import Watched
from smm_rules.panel.answers import Balance
from smm_rules.polling.decisions import Look
from smm_rules.polling.watch import PanelWatch


async def look_at_balance(watch: PanelWatch) -> Balance | None:
    """Read the balance if it is due and evaluate its rules; the reading, None when there was none."""
    standing = watch.standing
    asked_at = watch.clock.now()
    if not standing.balance_is_due(asked_at):
        return None
    wanted, standing.balance_wanted = standing.balance_wanted, False
    answer = await watch.read("balance", watch.client.balance)
    if answer is None:
        # Still wanted; and an action that fell into doubt while the panel answered wants a later reading.
        standing.balance_wanted |= wanted
        return None
    now = watch.clock.now()
    await watch.answered("balance", now)
    known = standing.balance
    entity = Entity(EntityKind.BALANCE, watch.panel)
    seen = observe_balance(known.facts if known else {}, answer, now)
    first_seen_at = known.first_seen_at if known else now
    snapshot = Snapshot(
        entity=entity,
        facts=complete(EntityKind.BALANCE, seen.facts, standing.related_to_panel()),
        taken_at=now,
        previous_at=known.last_seen_at if known else None,
        root=entity,
    )
    look = Look(snapshot, seen.facts, seen.changed, watch.pace.balance, asked_at=asked_at)
    decided = await watch.record(EntityKind.BALANCE, [look], now)
    due_at = decided.sweep.observed[0].due_at
    standing.keep_balance(Watched(entity, seen.facts, first_seen_at, now, due_at))
    return answer
