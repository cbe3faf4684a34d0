"""A look at a panel's catalogue of services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smm_rules.engine.service_facts import observe_catalogue
from smm_rules.engine.snapshots import complete
from smm_rules.facts import Entity, EntityKind, Facts, Snapshot
from smm_rules.ledger.records import Observed, Watched
from smm_rules.observe import get_logger
from smm_rules.panel.answers import Service
from smm_rules.polling.decisions import Look
from smm_rules.polling.watch import PanelWatch

log = get_logger(__name__)

#: Services of one panel that are known at most, those gone among them: a panel that makes up new ones at each
#: look is not given the memory and the ledger.
MOST_SERVICES_KNOWN = 50_000


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
    seen = observe_catalogue(before, _with_room(watch, answer), now)
    looks = [
        _service_look(watch, identifier, item.facts, item.changed, now) for identifier, item in seen.items()
    ]
    decided = await watch.record(EntityKind.SERVICE, looks, now)
    standing.keep_services(_kept(watch, observed, now) for observed in decided.sweep.observed)
    return len(answer)


def _with_room(watch: PanelWatch, answer: Sequence[Service]) -> Sequence[Service]:
    """The services known already, and as many new ones as there is room for."""
    known = watch.standing.services
    room = MOST_SERVICES_KNOWN - len(known)
    new = [service.id for service in answer if service.id not in known]
    if len(new) <= room:
        return answer
    left_out = frozenset(new[max(room, 0) :])
    log.warning("panel.services_left_out", panel=watch.panel, count=len(left_out), known=len(known))
    return [service for service in answer if service.id not in left_out]


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
