"""A look at a panel's catalogue of services."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
#: A catalogue that lacks so many services all at once, and more than half, is believed the second time.
MANY_MISSING = 20


async def look_at_catalogue(watch: PanelWatch) -> int:
    """Read the catalogue if it is due and evaluate its rules; return how many services it has.

    An empty catalogue is a fault of the panel (the client says so), never a mass delisting. One that suddenly
    lacks most of its services is more likely cut short: they are gone once the next look says so, too.
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
    missing = _missing_for_once(watch, answer)
    seen = observe_catalogue(before, _with_room(watch, answer), now, is_whole=not missing)
    looks = [
        _service_look(watch, identifier, item.facts, item.changed, now) for identifier, item in seen.items()
    ]
    decided = await watch.record(EntityKind.SERVICE, looks, now)
    again_at = now + watch.pace.catalogue
    await watch.ledger.postpone([one.entity for one in missing], again_at)
    kept = [_kept(watch, observed, now) for observed in decided.sweep.observed]
    standing.keep_services([*kept, *(replace(one, due_at=again_at) for one in missing)])
    return len(answer)


def _missing_for_once(watch: PanelWatch, answer: Sequence[Service]) -> list[Watched]:
    """The services that a catalogue lacks which doesn't look whole; none when the last one didn't either."""
    standing, named = watch.standing, {service.id for service in answer}
    offered = [one for one in standing.services.values() if one.facts.get("gone") is not True]
    missing = [one for one in offered if one.entity.id not in named]
    looks_cut = len(missing) >= MANY_MISSING and len(missing) * 2 > len(offered)
    believed, standing.catalogue_looked_cut = standing.catalogue_looked_cut, looks_cut
    if not looks_cut:
        return []
    log.warning("panel.catalogue_cut", panel=watch.panel, missing=len(missing), believed=believed)
    return [] if believed else missing


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
