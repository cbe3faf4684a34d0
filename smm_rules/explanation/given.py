"""Facts that somebody supposes, for a preview: read from text, and standing in for a ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from smm_rules.document import did_you_mean
from smm_rules.engine.choosing import Choice, Way
from smm_rules.engine.firing import Firing, IntentDraft
from smm_rules.engine.memory import Memory
from smm_rules.engine.snapshots import complete
from smm_rules.explanation.model import Standing
from smm_rules.facts import (
    RELATED,
    Entity,
    EntityKind,
    Facts,
    FactType,
    Field,
    Known,
    order_status,
    parse_duration,
    readable_fields,
    refill_status,
)
from smm_rules.ledger.records import (
    DatedBalance,
    Intent,
    IntentState,
    OrderSource,
    TrackedOrder,
    Transition,
    Watched,
)

#: What a supposed thing is called where nobody says.
_SOME_ID = "1"
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class GivenRefused(ValueError):
    """A supposed fact can't be read: which, and what to write instead."""


def read_given(texts: Mapping[str, str], kind: EntityKind, now: datetime) -> dict[EntityKind, Facts]:
    """Facts by the kind of thing they belong to, from names with texts: `status`, `service.refill`, `age`.

    A running duration gives the instant it counts from. Raises `GivenRefused`.
    """
    fields = readable_fields(kind)
    found: dict[EntityKind, Facts] = {}
    for name, text in texts.items():
        field = fields.get(name)
        if field is None:
            suggestion = did_you_mean(name, fields)
            raise GivenRefused(f'{kind}s have no fact "{name}". {suggestion}'.rstrip())
        owner, dot, own = field.name.rpartition(".")
        since = field.since.rpartition(".")[2] if field.since else None
        value = _value(name, text, field, now)
        found.setdefault(EntityKind(owner) if dot else kind, {})[since or own] = value
    return found


def _value(name: str, text: str, field: Field, now: datetime) -> Known:
    try:
        return _parsed(text.strip(), field, now)
    except (ValueError, InvalidOperation):
        raise GivenRefused(f"{name} is a {field.type}, and {text!r} is none") from None


def _parsed(text: str, field: Field, now: datetime) -> Known:
    match field.type:
        case FactType.BOOLEAN:
            if text.casefold() not in _FLAGS:
                raise ValueError(text)
            return _FLAGS[text.casefold()]
        case FactType.NUMBER:
            number = Decimal(text)
            if not number.is_finite():
                raise ValueError(text)
            return int(number) if number == number.to_integral_value() else number
        case FactType.MONEY:
            return Decimal(text)
        case FactType.ORDER_STATUS:
            return order_status(text)
        case FactType.REFILL_STATUS:
            return refill_status(text)
        case FactType.DURATION:
            length = parse_duration(text)
            return now - length if field.since else length
        case FactType.TIME:
            at = datetime.fromisoformat(text)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at
        case FactType.TEXT:
            return text


@dataclass(frozen=True, slots=True)
class Supposed:
    """A world of supposed facts: one thing of `kind` on `panel` and what it belongs to.

    It answers like a ledger that knows nothing else, with a catalogue and a balance read just now.
    """

    kind: EntityKind
    panel: str
    facts: Mapping[EntityKind, Facts]
    at: datetime

    @property
    def entity(self) -> Entity:
        """The thing itself."""
        return self._entity(self.kind)

    def _entity(self, kind: EntityKind) -> Entity:
        if kind in (EntityKind.BALANCE, EntityKind.PANEL):
            return Entity(kind, self.panel)
        own = self.facts.get(kind, {}).get("id")
        return Entity(kind, self.panel, own if isinstance(own, str) and own else _SOME_ID)

    def _own(self, kind: EntityKind) -> Facts:
        facts = dict(self.facts.get(kind, {}))
        if kind in (EntityKind.ORDER, EntityKind.REFILL, EntityKind.SERVICE):
            facts.setdefault("id", self._entity(kind).id)
        if kind is EntityKind.PANEL:
            answering: Facts = {"name": self.panel, "reachable": True, "catalogue_read_at": self.at}
            return answering | facts
        return facts

    def standing(self) -> Standing:
        """All that is supposed of the thing."""
        others = {
            f"{other}.{name}": value
            for other in RELATED[self.kind]
            if other in self.facts or other is EntityKind.PANEL
            for name, value in self._own(other).items()
        }
        order = self._order()
        return Standing(
            entity=self.entity,
            at=self.at,
            facts=complete(self.kind, self._own(self.kind), others),
            stored=True,
            seen_at=self.at,
            due_at=None,
            root=order.entity if order else self.entity,
            imported=False,
            order=order,
            health=self._own(EntityKind.PANEL),
            service_known=EntityKind.SERVICE in self.facts,
        )

    def _order(self) -> TrackedOrder | None:
        if self.kind not in (EntityKind.ORDER, EntityKind.REFILL):
            return None
        facts = self._own(EntityKind.ORDER)
        parameters = {str(name): str(facts[name]) for name in ("quantity", "link") if name in facts}
        entity = self._entity(EntityKind.ORDER)
        return TrackedOrder(
            entity=entity,
            service=self._entity(EntityKind.SERVICE).id,
            parameters=parameters,
            placed_at=None,
            tracked_at=self.at,
            label=str(facts.get("label", "")),
            source=OrderSource.PLACED,
            parent=None,
            root=entity,
            depth=0,
        )

    # -- as a ledger ----------------------------------------------------------------------------------
    async def order(self, entity: Entity) -> TrackedOrder | None:
        order = self._order()
        return order if order is not None and order.entity == entity else None

    async def watched(self, entity: Entity) -> Watched | None:
        if entity != self._entity(entity.kind) or (
            entity.kind not in self.facts and entity.kind not in (self.kind, EntityKind.PANEL)
        ):
            return None
        order = self._order() if entity.kind in (EntityKind.ORDER, EntityKind.REFILL) else None
        return Watched(entity, self._own(entity.kind), self.at, self.at, None, order)

    async def watched_page(
        self, kind: EntityKind, panel: str | None, after: Entity | None, limit: int
    ) -> tuple[Watched, ...]:
        found = await self.watched(self._entity(kind))
        return (found,) if found is not None and after is None and limit and panel == self.panel else ()

    async def memories(self, entities: Sequence[Entity]) -> dict[tuple[str, Entity], Memory]:  # noqa: ARG002
        return {}

    async def intents(
        self, states: Sequence[IntentState], limit: int, rule: str | None = None, entity: Entity | None = None
    ) -> tuple[Intent, ...]:
        del states, limit, rule, entity
        return ()

    async def under_way(self, panel: str, since: datetime, until: datetime) -> tuple[Intent, ...]:
        del panel, since, until
        return ()

    async def balance(self, panel: str) -> DatedBalance | None:
        facts = self._own(EntityKind.BALANCE)
        amount, currency = facts.get("amount"), facts.get("currency")
        if panel != self.panel or not isinstance(amount, Decimal):
            return None
        return DatedBalance(amount, currency if isinstance(currency, str) else None, self.at, self.at)

    async def consider(
        self, draft: IntentDraft, firing: Firing, now: datetime
    ) -> tuple[IntentDraft, Choice | None]:
        """Nothing is supposed of other panels, so none of them can be chosen."""
        del firing, now
        if draft.choosing is None or draft.choosing.way is Way.NAMED:
            return draft, None
        why = "other panels aren't among what is supposed; preview it for a known order"
        return draft, Choice(draft.choosing.way, why=why)

    async def replacements(self, order: Entity) -> tuple[Watched, ...]:
        del order
        return ()

    async def transitions(self, intent_id: int) -> tuple[Transition, ...]:
        del intent_id
        return ()

    async def firing(self, firing_id: int) -> Firing | None:
        del firing_id
        return None
