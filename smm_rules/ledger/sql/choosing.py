"""The panel of a reorder chosen inside the transaction that plans it, by what the ledger knows just then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from smm_rules.engine.buying import (
    MAX_RATE_INCREASE,
    PLACED_RATE,
    REFERENCE_RATE,
    SERVICE,
    money,
    of_the_panel,
)
from smm_rules.engine.choosing import (
    Choice,
    Considered,
    Fitness,
    Offer,
    Reference,
    Want,
    Way,
    compared,
    consider,
    following,
    none_fits,
    pick,
)
from smm_rules.engine.firing import Choosing, Firing, IntentDraft
from smm_rules.engine.guards import APPROVAL, Guards
from smm_rules.engine.steps import place_of
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.codec import entity_from_text, entity_text
from smm_rules.ledger.records import TrackedOrder, Watched
from smm_rules.ledger.sql import balances, entities, orders, stops
from smm_rules.ledger.sql.guarding import About, Action, Guarding, about
from smm_rules.ledger.sql.query import Connection, rows
from smm_rules.ledger.sql.rows import all_watched
from smm_rules.ledger.stops import StopScope
from smm_rules.matching.equal import Group, Member
from smm_rules.rules.model import RuleGuards

#: Other attempts of the same step of a firing: `do.0`, `do.0+1`, …
_TRIED = "SELECT panel FROM intents WHERE firing = ? AND (step = ? OR step LIKE ?)"
_OF_CHAIN = """
  SELECT e.panel FROM orders o JOIN entities e ON e.id = o.entity WHERE o.root = ?
"""
#: By the root, for there is an index of that. Where a chain has branches, those of the others count, too.
_MADE_FOR = "WHERE e.kind = 'order' AND o.root = ? AND o.depth > ?"


@dataclass(frozen=True, slots=True)
class Asker:
    """What asks for a reorder: the rule with its guards, the firing, and the order it is about."""

    rule: str
    guards: RuleGuards
    firing_id: int | None
    firing: Firing | None
    about: About


def choose(
    connection: Connection, draft: IntentDraft, asker: Asker, guarding: Guarding
) -> tuple[IntentDraft, Choice | None]:
    """`draft` with the panel and the service chosen, and the choice with all that was considered.

    No choice where a panel is named and the mapping has nothing to say. Where nothing can be chosen the draft
    stays on the order's own panel, and the choice says why: the check before an action refuses it.
    """
    choosing = draft.choosing
    if choosing is None or guarding.guards.market.alone:
        return draft, None
    order = None if asker.about.subject is None else _order(connection, asker.about.subject)
    group = None if order is None else _group(guarding, order)
    if choosing.way is Way.NAMED:
        return _named(connection, draft, asker, order, group, guarding)
    choice = Choice(choosing.way, after=choosing.after)
    if order is None or group is None:
        return draft, replace(choice, why=guarding.guards.market.trouble or _unmapped(order))
    candidates = _candidates(connection, draft, choosing, asker, order, group)
    want = _want(connection, draft, asker.firing, order, guarding)
    found = _considered(connection, draft, candidates, asker, want, guarding)
    unit = ""
    if choosing.way is Way.CHEAPEST:
        found, unit = compared(found, guarding.guards.market.rates, guarding.now)
    taken = pick(choosing.way, found)
    choice = replace(choice, group=group.name, considered=tuple(found), unit=unit)
    if taken is None:
        return draft, replace(choice, why=none_fits(found))
    return _taken(draft, taken, want), replace(choice, chosen=taken.member)


def foresee(
    connection: Connection, draft: IntentDraft, firing: Firing, now: datetime, guards: Guards
) -> tuple[IntentDraft, Choice | None]:
    """What `choose` would make of `draft` now. `firing` need not be in the ledger; nothing is written."""
    asker = Asker(firing.rule, firing.guards, None, firing, about(connection, firing.entity))
    return choose(connection, draft, asker, Guarding(connection, now, guards))


def replacements(connection: Connection, order: Entity) -> tuple[Watched, ...]:
    """The orders made in place of one and of these, whether they are still watched or not."""
    known = orders.order(connection, order)
    if known is None:
        return ()
    return all_watched(connection, _MADE_FOR, (entity_text(known.root), known.depth))


def _named(
    connection: Connection,
    draft: IntentDraft,
    asker: Asker,
    order: TrackedOrder | None,
    group: Group | None,
    guarding: Guarding,
) -> tuple[IntentDraft, Choice | None]:
    member = None if group is None else group.on(draft.panel)
    if order is None or group is None or member is None:
        return draft, None
    want = _want(connection, draft, asker.firing, order, guarding)
    found = _considered(connection, draft, (member,), asker, want, guarding)
    return _taken(draft, found[0], want), Choice(Way.NAMED, group.name, member, tuple(found))


def _taken(draft: IntentDraft, taken: Considered, want: Want) -> IntentDraft:
    """`draft` for the candidate that was taken.

    Where the first price is known and no rate tells what it is in the panel's currency, the bound is written
    down as if the rule had stated it: the check then holds the action instead of letting any price through.
    """
    parameters = {**draft.parameters, SERVICE: taken.member.service}
    if taken.reference is not None:
        parameters[REFERENCE_RATE] = format(taken.reference, "f")
    elif want.reference is not None and want.bound is not None:
        parameters.setdefault(MAX_RATE_INCREASE, format(want.bound, "f"))
    return replace(
        draft,
        panel=taken.member.panel,
        parameters=parameters,
        estimate=taken.cost,
        currency=taken.currency if taken.cost is not None else None,
    )


def _order(connection: Connection, subject: str) -> TrackedOrder | None:
    return orders.order(connection, entity_from_text(subject))


def _group(guarding: Guarding, order: TrackedOrder) -> Group | None:
    return guarding.guards.market.equal.group_of(order.entity.panel, order.service)


def _unmapped(order: TrackedOrder | None) -> str:
    if order is None:
        return "nothing is known of the order, so no equal services are"
    if order.service is None:
        return f"it isn't known which service order {order.entity.id} was for"
    return (
        f"no confirmed group of the mapping has service {order.service} of {order.entity.panel}; "
        "see: smm-rules services match"
    )


def _candidates(
    connection: Connection,
    draft: IntentDraft,
    choosing: Choosing,
    asker: Asker,
    order: TrackedOrder,
    group: Group,
) -> tuple[Member, ...]:
    """The members that may be chosen, in order: none that this firing has tried, for `next` none that the
    chain of orders has been on."""
    used: set[str] = set()
    if asker.firing_id is not None:
        step = place_of(draft.step)
        used |= {panel for (panel,) in rows(connection, _TRIED, (asker.firing_id, step, f"{step}+%"))}
    if choosing.way is Way.CHEAPEST:
        return tuple(member for member in group.members if member.panel not in used)
    root = order.root
    used |= {order.entity.panel, root.panel}
    used |= {panel for (panel,) in rows(connection, _OF_CHAIN, (entity_text(root),))}
    members = following(order.entity.panel, group.members)
    return tuple(member for member in members if member.panel not in used)


def _considered(
    connection: Connection,
    draft: IntentDraft,
    members: Sequence[Member],
    asker: Asker,
    want: Want,
    guarding: Guarding,
) -> Sequence[Considered]:
    market = guarding.guards.market
    found = []
    for member in members:
        action = Action(asker.rule, member.panel, draft.kind, asker.about, None, None)
        offer = _offer(connection, member, action, guarding)
        one = consider(offer, want, market.rates, guarding.now)
        if one.fitness is Fitness.FITS:
            one = _guarded(one, action, asker.guards, guarding)
        found.append(one)
    return found


def _guarded(one: Considered, action: Action, rule: RuleGuards, guarding: Guarding) -> Considered:
    """What a guard would hold isn't chosen where another fits. That an approval is wanted is no reason."""
    guarded = guarding.planning(replace(action, cost=one.cost, currency=one.currency), rule)
    if guarded is None or guarded.reason == APPROVAL:
        return one
    return replace(one, fitness=Fitness.NOT_NOW, why=guarded.message)


def _want(
    connection: Connection, draft: IntentDraft, firing: Firing | None, order: TrackedOrder, guarding: Guarding
) -> Want:
    own = entities.watched(connection, Entity(EntityKind.SERVICE, order.entity.panel, order.service or ""))
    service_type = own.facts.get("type") if own is not None else None
    written = money(draft.parameters.get(MAX_RATE_INCREASE))
    stated = MAX_RATE_INCREASE in draft.parameters
    # A bound nobody can read must not mean "no bound".
    bound = (written or Decimal(0)) if stated else guarding.guards.market.rate_increase
    return Want(
        of_the_panel(order.parameters),
        of_the_panel(draft.parameters),
        service_type if isinstance(service_type, str) else None,
        _reference(connection, firing, order, guarding),
        bound,
        stated,
    )


def _reference(
    connection: Connection, firing: Firing | None, order: TrackedOrder, guarding: Guarding
) -> Reference | None:
    """The price the chain began with; for want of it the order's own, or that of its service as it fired."""
    root = order if order.root == order.entity else orders.order(connection, order.root)
    for placed in (root, order):
        rate = None if placed is None else money(placed.parameters.get(PLACED_RATE))
        if placed is not None and rate is not None:
            panel = placed.entity.panel
            return Reference(rate, panel, guarding.currency_of(panel))
    if firing is not None and firing.facts.get("service.id") == order.service:
        rate = money(firing.facts.get("service.rate"))
        if rate is not None:
            return Reference(rate, order.entity.panel, guarding.currency_of(order.entity.panel))
    return None


def _offer(connection: Connection, member: Member, action: Action, guarding: Guarding) -> Offer:
    row = entities.watched(connection, Entity(EntityKind.SERVICE, member.panel, member.service))
    health = entities.watched(connection, Entity(EntityKind.PANEL, member.panel))
    known = {} if health is None else health.facts
    return Offer(
        member,
        None if row is None else row.facts,
        _read_at(connection, member.panel, row, known),
        guarding.currency_of(member.panel),
        guarding.balance_left(action) if balances.balance(connection, member.panel) else None,
        _stopped(connection, member.panel, guarding.now),
        _unreachable(known),
    )


def _read_at(connection: Connection, panel: str, row: Watched | None, health: Facts) -> datetime | None:
    """When the panel's catalogue was last read; by any of its services where it lacks this one."""
    if row is None:
        others = entities.watched_page(connection, EntityKind.SERVICE, panel, None, 1)
        return others[0].last_seen_at if others else None
    seen = [at for at in (row.last_seen_at, health.get("catalogue_read_at")) if isinstance(at, datetime)]
    return max(seen, default=None)


def _stopped(connection: Connection, panel: str, now: datetime) -> str:
    """What keeps the panel's actions, whatever rule asks: a rule's own stop keeps all candidates alike."""
    for stop in stops.active(connection):
        if stop.scope is StopScope.PANEL and stop.name == panel and stop.active(now):
            return f"its actions are stopped: {stop.reason}"
    return ""


def _unreachable(health: Facts) -> str:
    if health.get("reachable") is not False:
        return ""
    since = health.get("failing_since")
    when = f" since {since:%Y-%m-%d %H:%M} UTC" if isinstance(since, datetime) else ""
    return f"it doesn't answer{when}"
