"""A sweep over a panel's due orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from smm_rules.engine.order_facts import OrderIntake, observe_order, whole_number
from smm_rules.engine.snapshots import complete_on, shared
from smm_rules.facts import Entity, EntityKind, Snapshot, Value
from smm_rules.ledger.codec import to_micros
from smm_rules.ledger.records import DueOrder, OrderSource, TrackedOrder, Watched
from smm_rules.panel.answers import OrderState, OrderStates, Refused
from smm_rules.panel.batches import LARGEST_BATCH
from smm_rules.panel.repeats import read_same
from smm_rules.panel.wire import read_order_states
from smm_rules.polling.asking import Answered, make_looks, note_answers, postpone_missing
from smm_rules.polling.decisions import Look
from smm_rules.polling.pacing import Pacing
from smm_rules.polling.resting import Grounds, resting
from smm_rules.polling.watch import PanelWatch


async def sweep_orders(watch: PanelWatch) -> int:
    """Ask about the most overdue orders and act on the answers; return how many were answered.

    1. Wait until catalogue and balance are known or have been asked for.
    2. Ask about at most `sweep_size` due orders, in requests of 100.
    3. Leave alone those about which the panel said what it had said before and whose look can come to nothing
       (`polling.resting`); evaluate every rule on every other one answered.
    4. Record all of it in one transaction. Orders that were not answered keep their state.
    """
    if not watch.standing.acquainted(watch.clock.now()):
        return 0
    interval = watch.pace.orders
    asked_at = watch.clock.now()
    batch = 1 if watch.pace.bounds is None else LARGEST_BATCH
    due = await watch.ledger.due_orders(watch.panel, asked_at, watch.pace.sweep_size, batch)
    _note_backlog(watch, due, asked_at)
    if not due:
        return 0
    _note_lateness(watch, due, asked_at)
    known = {one.id: one.answer for one in due if one.answer is not None}
    states = await watch.read("orders", lambda: watch.client.order_states([one.id for one in due], known))
    if states is None:
        watch.backlog.interrupt()
        return 0
    now = watch.clock.now()
    await note_answers(watch, "orders", states.failed, now, interval)
    found, same = states.found, states.same
    answered = due
    if len(found) + len(same) < len(due):
        answered = tuple(one for one in due if one.id in found or one.id in same)
    if len(answered) + len(states.failed) < len(due):
        await postpone_missing(watch, EntityKind.ORDER, _missing(watch, due, states), now + interval)
    async with watch.deciding:
        rests = resting(answered, states.same, _valid_contexts(watch), now, watch.belts.gap)
        looks = await _whole_looks(watch, answered, frozenset(rests), states, now)
        made = await watch.make(EntityKind.ORDER, looks, now, rests)
    await watch.tell(made, now)
    return len(answered)


def _note_backlog(watch: PanelWatch, due: Sequence[DueOrder], now: datetime) -> None:
    """Whether more is due than a sweep takes: what is not urgent makes room then for what is."""
    if watch.pace.bounds is not None:
        watch.backlog.note(due, watch.pace.sweep_size, now, watch.pace.bounds)


def _note_lateness(watch: PanelWatch, due: Sequence[DueOrder], now: datetime) -> None:
    """How late the latest look is: a panel whose budget doesn't suffice shows in it first."""
    late = max(to_micros(now) - due[0].due_at, 0) // 1_000_000
    watch.counters.increment("orders_asked", amount=len(due), panel=watch.panel)
    watch.counters.level("orders_late_seconds", late, panel=watch.panel)


def _missing(watch: PanelWatch, due: Sequence[DueOrder], states: OrderStates) -> list[Entity]:
    told = states.found.keys() | states.same.keys() | states.failed.keys()
    return [Entity(EntityKind.ORDER, watch.panel, one.id) for one in due if one.id not in told]


def _valid_contexts(watch: PanelWatch) -> set[int]:
    rules = watch.rules().watching(EntityKind.ORDER, watch.panel)
    standing = watch.standing
    watch.contexts.refresh(rules, standing.related_to_panel(), standing.catalogues, watch.backlog.late)
    return watch.contexts.valid


async def _whole_looks(
    watch: PanelWatch,
    answered: Sequence[DueOrder],
    rests: frozenset[int],
    states: OrderStates,
    now: datetime,
) -> list[Look]:
    """A look at each order answered that doesn't rest."""
    if len(rests) == len(answered):
        return []
    awake = {one.row: one for one in answered if one.row not in rests}
    watched = await watch.ledger.watched_rows(list(awake))
    same = {awake[row].id: states.same[awake[row].id] for row in watched if awake[row].id in states.same}
    answers = states.found | read_same(same, read_order_states)
    prints = {**states.prints, **{one.id: one.answer for one in awake.values() if one.id in same}}
    # Nothing is waited for from here on: the context is of the very facts that the looks are taken on.
    _valid_contexts(watch)
    looking = _Looking(watch, watch.pacing(), prints)
    found = tuple((item, answers[item.entity.id]) for item in watched.values() if item.entity.id in answers)
    return await make_looks(watch, Answered(now, found), watch.pace.orders, looking.at)


@dataclass(slots=True)
class _Looking:
    """A sweep's whole looks at orders: what all of one service share is found once.

    `prints` are the fingerprints of their answers, where there are any.
    """

    watch: PanelWatch
    pacing: Pacing | None
    prints: Mapping[str, int | None]
    _of_service: dict[str | None, tuple[dict[str, Value], int]] = field(default_factory=dict)

    async def at(self, item: Watched, answer: OrderState | Refused, now: datetime) -> Look:
        """The look at one order."""
        order = item.order
        if order is None:
            raise LookupError(f"{item.entity} is watched, but the ledger has no order of that name")
        seen = observe_order(item.facts, answer, order_intake(order), now)
        known, context = self._of_service.get(order.service) or self._kin(order.service)
        snapshot = Snapshot(
            item.entity,
            complete_on(EntityKind.ORDER, seen.facts, known),
            now,
            item.last_seen_at,
            order.root,
            order.source is OrderSource.TRACKED,
        )
        grounds = None
        print_ = self.prints.get(item.entity.id)
        if print_ is not None:
            grounds = Grounds(print_, context, item.changes, self.watch.contexts.attention)
        pace = self.watch.pace
        return Look(
            snapshot,
            seen.facts,
            seen.changed,
            pace.orders,
            pace.settle_after,
            seen.facts is item.facts,
            grounds=grounds,
            pacing=self.pacing,
            row=item.row,
        )

    def _kin(self, service: str | None) -> tuple[dict[str, Value], int]:
        """What is known of every order of a service, and the context of their rests."""
        related = self.watch.standing.related_to_service(service)
        found = shared(EntityKind.ORDER, related), self.watch.contexts.of(service, related)
        self._of_service[service] = found
        return found


def order_intake(order: TrackedOrder) -> OrderIntake:
    """What intake and chain know of an order, as the engine takes it."""
    return OrderIntake(
        id=order.entity.id,
        tracked_at=order.tracked_at,
        placed_at=order.placed_at,
        quantity=whole_number(order.parameters.get("quantity")),
        link=order.parameters.get("link"),
        label=order.label,
        chain_depth=order.depth,
        refills=order.refills,
    )
