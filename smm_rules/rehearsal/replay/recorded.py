"""The recorded world: what every look of a replay finds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from smm_rules.engine.observation import Observation as Seen
from smm_rules.engine.observation import differs
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.records import Observation, TrackedOrder


class RecordedWorld:
    """Facts as recorded last. A `Source` of the stage.

    Between two observations nothing changed, or there would be one. What is not recorded each time is put
    together: a panel in reach has just answered and its catalogue has just been read, one out of reach fails
    once an interval.
    """

    def __init__(self, interval: Callable[[Entity], timedelta], until: datetime) -> None:
        self._interval = interval
        self._until = until
        self._latest: dict[Entity, Observation] = {}
        self._last_looks: dict[Entity, datetime] = {}

    def seen(self, observation: Observation) -> None:
        """What was recorded is so from now on."""
        self._latest[observation.entity] = observation

    def ends(self, entity: Entity, last_seen_at: datetime | None) -> None:
        """Nobody looked at `entity` after this; None when it is watched no more."""
        if last_seen_at is not None:
            self._last_looks[entity] = last_seen_at

    def last_look(self, entity: Entity) -> datetime | None:
        """The last time the daemon looked at it, by the ledger's word."""
        known = self._last_looks.get(entity)
        if known is None:
            latest = self._latest.get(entity)
            known = latest.at if latest else self._until
        return min(known, self._until)

    def observe(self, entity: Entity, before: Facts, _: TrackedOrder | None, now: datetime) -> Seen:
        """What is recorded of `entity` at `now`."""
        latest = self._latest[entity]
        facts = latest.facts
        if entity.kind is EntityKind.PANEL:
            facts = self._panel(latest, now)
        return Seen(facts, differs(entity.kind, before, facts))

    def _panel(self, latest: Observation, now: datetime) -> Facts:
        facts = latest.facts
        if facts.get("reachable") is not False:
            read = {"catalogue_read_at": now} if "catalogue_read_at" in facts else {}
            return {**facts, "last_answer_at": now, **read}
        failures = facts.get("failures", 1)
        more = (now - latest.at) // self._interval(latest.entity)
        return {**facts, "failures": (failures if isinstance(failures, int) else 1) + more}
