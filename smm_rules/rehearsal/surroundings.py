"""What is known of everything on the stage, and who is judged by whose facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from smm_rules.engine.attention import Attention
from smm_rules.engine.snapshots import related
from smm_rules.facts import Entity, EntityKind, Facts, Value
from smm_rules.ledger.records import TrackedOrder
from smm_rules.rules.model import RuleSet

_OF_AN_ORDER = (EntityKind.ORDER, EntityKind.REFILL)


class Surroundings:
    """The facts of every entity as seen last, and what rules read of related ones."""

    def __init__(self, rules: RuleSet) -> None:
        self.facts: dict[Entity, Facts] = {}
        self._rules = rules
        self._attention: dict[tuple[EntityKind, str], Attention] = {}
        self._shared: defaultdict[str, dict[str, dict[str, Value]]] = defaultdict(dict)
        #: Who depends on an entity, by its kind, panel and, for services and orders, its ID.
        self._dependants: defaultdict[Entity, dict[Entity, None]] = defaultdict(dict)

    def attention(self, entity: Entity) -> Attention:
        """What the rules for such an entity depend on."""
        key = entity.kind, entity.panel
        if key not in self._attention:
            self._attention[key] = Attention.of(self._rules.watching(*key))
        return self._attention[key]

    def keep(self, entity: Entity, facts: Facts) -> tuple[Entity, ...]:
        """Take over facts just seen; returned are those whose rules read something that differs."""
        before = self.facts.get(entity, {})
        self.facts[entity] = facts
        if facts == before:
            return ()
        if entity.kind is EntityKind.SERVICE:
            self._shared[entity.panel].pop(entity.id, None)
        elif entity.kind not in _OF_AN_ORDER:
            self._shared.pop(entity.panel, None)
        return tuple(self._touched(entity, before, facts))

    def _touched(self, entity: Entity, before: Facts, after: Facts) -> Iterator[Entity]:
        differing: dict[EntityKind, bool] = {}
        for other in self._dependants.get(entity, ()):
            if other.kind not in differing:
                names = self.attention(other).reads(entity.kind)
                differing[other.kind] = any(before.get(name) != after.get(name) for name in names)
            if differing[other.kind]:
                yield other

    def depend(self, entity: Entity, order: TrackedOrder | None) -> None:
        """Remember what `entity` is judged by besides itself."""
        for kind in (EntityKind.PANEL, EntityKind.BALANCE):
            self._depends(entity, Entity(kind, entity.panel))
        if order is not None and order.service is not None:
            self._depends(entity, Entity(EntityKind.SERVICE, entity.panel, order.service))
        if order is not None:
            self._depends(entity, order.entity)

    def _depends(self, entity: Entity, other: Entity) -> None:
        if entity.kind is not other.kind:
            self._dependants[other][entity] = None

    def related(self, entity: Entity, order: TrackedOrder | None) -> dict[str, Value]:
        """The flat dotted facts of what `entity` belongs to."""
        service = (order.service if order else None) or ""
        if entity.kind not in _OF_AN_ORDER:
            service = ""
        shared = self._of_service(entity.panel, service)
        if entity.kind is EntityKind.REFILL and order is not None:
            return shared | related(EntityKind.ORDER, self.facts.get(order.entity, {}))
        return shared

    def _of_service(self, panel: str, service: str) -> dict[str, Value]:
        known = self._shared[panel].get(service)
        if known is None:
            known = self._of(EntityKind.BALANCE, panel) | self._of(EntityKind.PANEL, panel)
            if service:
                known = known | self._of(EntityKind.SERVICE, panel, service)
            self._shared[panel][service] = known
        return known

    def _of(self, kind: EntityKind, panel: str, identifier: str = "") -> dict[str, Value]:
        return related(kind, self.facts.get(Entity(kind, panel, identifier), {}))
