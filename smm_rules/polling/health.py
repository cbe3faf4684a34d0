"""A look at how a panel has been answering. It asks the panel nothing: a dead one must not look healthy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from smm_rules.engine.snapshots import complete
from smm_rules.facts import Entity, EntityKind, Snapshot
from smm_rules.ledger.records import Watched
from smm_rules.polling.decisions import Look
from smm_rules.polling.watch import PanelWatch

#: Without rules that watch the panel its health is only written this often, for `status` to show.
WRITTEN_EVERY = timedelta(minutes=1)


async def look_at_health(watch: PanelWatch) -> None:
    """Evaluate the rules that watch the panel itself, on what the last polls told.

    Until the panel has been asked once since the start there is nothing to judge: what the ledger says of it
    is of the time before.
    """
    standing = watch.standing
    if not standing.tried:
        return
    now = watch.clock.now()
    known = standing.health
    facts = standing.health_facts
    entity = Entity(EntityKind.PANEL, watch.panel)
    changed = known is None or known.facts.get("reachable") != facts.get("reachable")
    fresh = known is not None and known.last_seen_at is not None and now - known.last_seen_at < WRITTEN_EVERY
    if fresh and not changed and not watch.watched_by_rules(EntityKind.PANEL):
        return
    snapshot = Snapshot(
        entity=entity,
        facts=complete(EntityKind.PANEL, facts, standing.related_to_panel()),
        taken_at=now,
        previous_at=known.last_seen_at if known else None,
        root=entity,
    )
    look = Look(snapshot, facts, changed, watch.pace.balance)
    await watch.record(EntityKind.PANEL, [look], now)
    if known is None:
        standing.health = Watched(entity, facts, now, now, None)
    else:
        standing.health = replace(known, facts=facts, last_seen_at=now)
