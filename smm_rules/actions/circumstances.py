"""What is known when an action's turn comes: the order, today's catalogue and balance, earlier actions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from smm_rules.actions.port import CircumstanceLedger, OrderLedger
from smm_rules.actions.verdict import Why
from smm_rules.engine.buying import PLACED_RATE, REFERENCE_RATE, money
from smm_rules.engine.firing import Firing
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.records import (
    CHOICE,
    DatedBalance,
    Intent,
    IntentState,
    TrackedOrder,
    Transition,
    Watched,
)
from smm_rules.rules.model import StepKind

#: Evidence on an intent: what it was last held for, and the rate it was held at.
HELD_FOR, HELD_RATE = "held_for", "held_rate"
#: Evidence: since when an intent has been waiting for a look, the catalogue or the balance; empty when not.
WAITING_SINCE = "waiting_since"
#: Evidence on a claimed intent: the call's parameters as JSON, its expected cost, and the balance before,
#: with when that was asked for and when it was answered.
SENT, COST, CURRENCY, RATE = "sent", "cost", "currency", "rate"
BALANCE_BEFORE, BALANCE_BEFORE_AT = "balance_before", "balance_before_at"
BALANCE_BEFORE_ASKED_AT = "balance_before_asked_at"

#: The actions that spend money.
BUYING = frozenset({StepKind.REORDER, StepKind.ADD})

#: States of actions whose request may have left, and whose end isn't known.
_CLAIMED = (IntentState.SENDING, IntentState.UNKNOWN)
_MANY = 1_000


@dataclass(frozen=True, slots=True)
class Approval:
    """What the operator has approved: for which reason, and at which rate where a rate was the reason."""

    reason: str
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Everything a check may read. Money is in the panel's own currency.

    `firing` is what asked for the action, None when the operator did. `order` is the order the action is
    about; `watched` says that it has not been forgotten. `last_look` is what was last read of the thing the
    rule watches, and `episode_over` says that its condition was seen to hold no more since it asked, although
    nothing of what it asked for has been done. `service` are the facts of the service to be
    ordered, None when the catalogue lacks it; `catalogue_read_at` is None when no catalogue of the panel
    was ever read. `reference_rate` is the price of 1000 when the first order of the chain was placed, as
    far as known. `committed` is money that other actions have claimed or may have spent since the balance
    was asked for. `earlier` are actions about the same order that haven't ended and were asked for before,
    or were asked for later and have overtaken this one while it was held.
    `default_rate_increase` bounds a reorder that states no bound itself. Of an action whose panel was chosen
    `order_facts` are what was last read of the order, and `replacements` the orders that were made for it.
    """

    now: datetime
    firing: Firing | None = None
    order: TrackedOrder | None = None
    watched: bool = True
    last_look: Watched | None = None
    episode_over: bool = False
    service: Facts | None = None
    catalogue_read_at: datetime | None = None
    balance: DatedBalance | None = None
    currency: str | None = None
    committed: Decimal = Decimal(0)
    reference_rate: Decimal | None = None
    earlier: tuple[Intent, ...] = ()
    approvals: tuple[Approval, ...] = field(default=())
    default_rate_increase: Decimal | None = None
    order_facts: Facts = field(default_factory=dict)
    replacements: tuple[Watched, ...] = ()

    def approved(self, reason: Why) -> Approval | None:
        """The operator's latest approval of an action held for `reason`."""
        return next((given for given in reversed(self.approvals) if given.reason == reason), None)


async def gather(ledger: CircumstanceLedger, intent: Intent, now: datetime) -> Circumstances:
    """Read from the ledger all that the check of `intent` needs."""
    firing = None if intent.firing is None else await ledger.firing(intent.firing)
    order, watched = await order_of(ledger, intent, firing)
    known = Circumstances(
        now,
        firing,
        order,
        watched,
        last_look=None if firing is None else await ledger.watched(intent.entity),
        episode_over=firing is not None and await _is_episode_over(ledger, intent),
        earlier=await _earlier(ledger, intent),
        approvals=await _approvals(ledger, intent),
    )
    if intent.kind in BUYING:
        known = await _with_market(ledger, intent, known)
    return await _with_ends(ledger, known) if CHOICE in intent.evidence else known


async def _with_ends(ledger: CircumstanceLedger, known: Circumstances) -> Circumstances:
    """`known` with what tells whether the order has come to its end, and all that were made for it."""
    if known.order is None:
        return known
    look = await ledger.watched(known.order.entity)
    return replace(
        known,
        order_facts={} if look is None else look.facts,
        replacements=await ledger.replacements(known.order.entity),
    )


async def _with_market(ledger: CircumstanceLedger, intent: Intent, known: Circumstances) -> Circumstances:
    """`known` with today's catalogue, balance and prices: what an action that buys needs besides."""
    service_id = service_of(intent, known.order)
    service = None
    if service_id is not None:
        service = await ledger.watched(Entity(EntityKind.SERVICE, intent.panel, service_id))
    balance = await ledger.balance(intent.panel)
    return replace(
        known,
        service=service.facts if service else None,
        catalogue_read_at=await _catalogue_read_at(ledger, intent.panel, service),
        balance=balance,
        currency=None if balance is None else balance.currency,
        committed=await _committed(ledger, intent, balance, known.now),
        reference_rate=await _reference_rate(ledger, intent, known, service_id),
    )


async def order_of(
    ledger: OrderLedger, intent: Intent, firing: Firing | None
) -> tuple[TrackedOrder | None, bool]:
    """The order an intent is about and whether it is still watched; of a refill, the order refilled."""
    if intent.entity.kind is EntityKind.ORDER:
        known = await ledger.watched(intent.entity)
        return await ledger.order(intent.entity), known is not None
    if intent.entity.kind is not EntityKind.REFILL:
        return None, True
    refill = await ledger.watched(intent.entity)
    if refill is not None and refill.order is not None:
        return refill.order, True
    order_id = firing.facts.get("order.id") if firing else None
    if not isinstance(order_id, str):
        return None, False
    order = Entity(EntityKind.ORDER, intent.entity.panel, order_id)
    return await ledger.order(order), await ledger.watched(order) is not None


def service_of(intent: Intent, order: TrackedOrder | None) -> str | None:
    """The service to be ordered: the one the intent names, else the order's own on the order's own panel."""
    named = intent.parameters.get("service")
    if named is not None:
        return named
    return order.service if order is not None and order.entity.panel == intent.panel else None


async def _catalogue_read_at(
    ledger: CircumstanceLedger, panel: str, service: Watched | None
) -> datetime | None:
    if service is not None:
        health = await ledger.watched(Entity(EntityKind.PANEL, panel))
        read_at = health.facts.get("catalogue_read_at") if health else None
        seen = [at for at in (service.last_seen_at, read_at) if isinstance(at, datetime)]
        return max(seen, default=None)
    others = await ledger.watched_page(EntityKind.SERVICE, panel, None, 1)
    return others[0].last_seen_at if others else None


async def _committed(
    ledger: CircumstanceLedger, intent: Intent, balance: DatedBalance | None, now: datetime
) -> Decimal:
    """Money of other actions that `balance` may not show yet.

    What is under way or in doubt counts until it is settled; what was confirmed counts if that was after the
    balance was asked for. What is only planned doesn't: its own turn is checked in its own turn, and counting
    it would let ten orders of which five can be paid stop each other.

    Money in another currency than the balance may be all of it: nobody can tell how much that is.
    """
    if balance is None:
        return Decimal(0)
    committed = Decimal(0)
    for other in await ledger.under_way(intent.panel, balance.asked_at, now):
        cost = money(other.evidence.get(COST)) or other.reserved
        if other.id == intent.id or cost is None:
            continue
        if differ(other.evidence.get(CURRENCY) or other.currency, balance.currency):
            return max(balance.amount, Decimal(0))
        committed += cost
    return committed


def differ(one: str | None, other: str | None) -> bool:
    """Whether two currencies are known to differ: amounts in them are neither compared nor added up."""
    return bool(one) and bool(other) and one != other


async def _reference_rate(
    ledger: CircumstanceLedger,
    intent: Intent,
    known: Circumstances,
    service_id: str | None,
) -> Decimal | None:
    """The rate the chain began with; for want of it, the service's rate when the rule fired.

    Prices of another panel are no measure: its currency may be another. Whoever chose the panel has noted the
    price in that panel's own currency, where there was a way.
    """
    order, firing = known.order, known.firing
    if REFERENCE_RATE in intent.parameters:
        return money(intent.parameters[REFERENCE_RATE])
    if order is None or order.entity.panel != intent.panel:
        return None
    root = order if order.root == order.entity else await ledger.order(order.root)
    for placed in (root, order):
        if placed is not None and placed.entity.panel == intent.panel:
            rate = money(placed.parameters.get(PLACED_RATE))
            if rate is not None:
                return rate
    if firing is not None and firing.facts.get("service.id") == service_id:
        return money(firing.facts.get("service.rate"))
    return None


async def _is_episode_over(ledger: CircumstanceLedger, intent: Intent) -> bool:
    """Whether the condition has ended since it made its rule ask for `intent`.

    An action of the same firing that was done may itself have ended it: a cancel before a reorder does.
    """
    memory = (await ledger.memories((intent.entity,))).get((intent.rule, intent.entity))
    if memory is None or memory.true_since == intent.episode:
        return False
    done = await ledger.intents((IntentState.CONFIRMED,), _MANY, intent.rule, intent.entity)
    return all(other.firing != intent.firing for other in done)


async def _earlier(ledger: CircumstanceLedger, intent: Intent) -> tuple[Intent, ...]:
    """Actions about the same order or refill that were asked for or claimed before and haven't ended."""
    if intent.entity.kind not in (EntityKind.ORDER, EntityKind.REFILL):
        return ()
    states = (IntentState.PLANNED, *_CLAIMED)
    found = await ledger.intents(states, _MANY, entity=intent.entity)
    others = [other for other in reversed(found) if other.id != intent.id]
    return tuple(other for other in others if other.id < intent.id or other.state in _CLAIMED)


async def _approvals(ledger: CircumstanceLedger, intent: Intent) -> tuple[Approval, ...]:
    if HELD_FOR not in intent.evidence:
        return ()
    return approvals(await ledger.transitions(intent.id), money(intent.evidence.get(HELD_RATE)))


def approvals(transitions: Sequence[Transition], held_rate: Decimal | None) -> tuple[Approval, ...]:
    """What the operator approved, read from the ledger's own record of the intent's states."""
    given: list[Approval] = []
    held_for = ""
    for change in transitions:
        if change.after is IntentState.HELD:
            held_for = change.reason
        elif change.before == IntentState.HELD and change.after is IntentState.PLANNED:
            given.append(Approval(held_for, held_rate))
    return tuple(given)
