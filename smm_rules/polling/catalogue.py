"""A look at a panel's catalogue of services."""

from __future__ import annotations

from datetime import datetime

from smm_rules.engine.service_facts import observe_catalogue
from smm_rules.engine.snapshots import complete
from smm_rules.facts import Entity, EntityKind, Facts, Snapshot
from smm_rules.ledger.records import Observed, Watched
from smm_rules.polling.decisions import Look
from smm_rules.polling.watch import PanelWatch


async def look_at_catalogue(watch: PanelWatch) -> int:
    """Read the catalogue if it is due and evaluate its rules; return how many services it has.

    An empty catalogue is a fault of the panel (the client says so), never a mass delisting.
    """
    standing = watch.standing
    if not standing.catalogue_is_due(watch.clock.now()):
        return 0
    answer = await watch.read("catalogue", watch.client.services)
    if answer is None:
        return 0
    now = watch.clock.now()
    standing.note_catalogue_read(now)
    await watch.answered("catalogue", now)
    before = {identifier: item.facts for identifier, item in standing.services.items()}
    seen = observe_catalogue(before, answer, now)
    looks = [
        _service_look(watch, identifier, item.facts, item.changed, now) for identifier, item in seen.items()
    ]
    decided = await watch.record(EntityKind.SERVICE, looks, now)
    standing.keep_services(_kept(watch, observed, now) for observed in decided.sweep.observed)
    return len(answer)


def _service_look(watch: PanelWatch, identifier: str, facts: Facts, changed: bool, now: datetime) -> Look:
    entity = Entity(EntityKind.SERVICE, watch.panel, identifier)
    known = watch.standing.services.get(identifier)
    snapshot = Snapshot(
        entity=entity,
        facts=complete(EntityKind.SERVICE, facts, watch.standing.related_to_panel()),
        taken_at=now,
        previous_at=known.last_seen_at if known else None,
        root=entity,
    )
    return Look(snapshot, facts, changed, watch.pace.catalogue)


def _kept(watch: PanelWatch, observed: Observed, now: datetime) -> Watched:
    known = watch.standing.services.get(observed.entity.id)
    first_seen_at = known.first_seen_at if known else now
    return Watched(observed.entity, observed.facts, first_seen_at, now, observed.due_at)
