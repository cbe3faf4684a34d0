"""A sweep over a panel's due refills."""

from __future__ import annotations

from datetime import datetime

from smm_rules.engine.refill_facts import observe_refill
from smm_rules.engine.snapshots import complete, related
from smm_rules.facts import EntityKind, Snapshot
from smm_rules.ledger.records import Watched
from smm_rules.panel.answers import RefillState, Refused
from smm_rules.polling.asking import ask_due, make_looks
from smm_rules.polling.decisions import Look
from smm_rules.polling.watch import PanelWatch


async def sweep_refills(watch: PanelWatch) -> int:
    """Ask about the most overdue refills and act on the answers; return how many were answered."""
    asked = await ask_due(watch, EntityKind.REFILL, "refills", watch.pace.refills, watch.client.refill_states)
    if asked is None:
        return 0

    async def make(item: Watched, answer: RefillState | Refused, now: datetime) -> Look:
        return await _refill_look(watch, item, answer, now)

    looks = await make_looks(watch, asked, watch.pace.refills, make)
    await watch.record(EntityKind.REFILL, looks, asked.now)
    return len(asked.answers)


async def _refill_look(
    watch: PanelWatch, item: Watched, answer: RefillState | Refused, now: datetime
) -> Look:
    seen = observe_refill(item.facts, answer, item.entity.id, item.first_seen_at, now)
    shared = watch.standing.related_to_service(item.order.service if item.order else None)
    if item.order is not None:
        refilled = await watch.ledger.watched(item.order.entity)
        if refilled is not None:
            shared = shared | related(EntityKind.ORDER, refilled.facts)
    snapshot = Snapshot(
        entity=item.entity,
        facts=complete(EntityKind.REFILL, seen.facts, shared),
        taken_at=now,
        previous_at=item.last_seen_at,
        root=item.order.root if item.order else item.entity,
    )
    return Look(snapshot, seen.facts, seen.changed, watch.pace.refills, watch.pace.settle_after)
