"""The panel as the judge sees it: what it was asked, what it told, what it did and for which intent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from smm_rules.simulator import Entry, Fault, Kind, Simulator
from smm_rules.simulator.api import STALE_BY, Reply
from smm_rules.simulator.journal import PAID_KINDS


@dataclass(frozen=True)
class Effect:
    """One paid effect from the simulator's journal, with the intent whose request caused it.

    `possible` is what the daemon could have reckoned it would cost: by the prices it was last told.
    """

    entry: Entry
    intent: int
    at: float
    possible: Decimal


@dataclass
class Panel:
    """Wraps one simulator. `seconds` is the true time."""

    name: str
    simulator: Simulator
    seconds: Callable[[], float]
    effects: list[Effect] = field(default_factory=list)
    #: The statuses each order was ever said to have, in an answer that left the panel, with what remained.
    told: defaultdict[str, set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set))
    links: dict[str, str] = field(default_factory=dict)
    prices_told: dict[int, Decimal] = field(default_factory=dict)
    _read: int = 0

    def known_orders(self) -> list[str]:
        """Every order there is, the customers' and those the daemon made, the oldest first."""
        made = [effect.entry.order for effect in self.effects if effect.entry.kind == Kind.ORDER_MADE]
        return [*self.links, *made]

    def answer(self, form: dict[str, str], intent: int, fault: Fault | None) -> Reply:
        """Let the panel answer; note what it told and did."""
        simulator = self.simulator
        if fault is not None:
            simulator.faults.next(form.get("action", ""), fault)
        reply = simulator.api.answer(form)
        action = form.get("action")
        if action == "services" and reply.code == 200 and fault is None:
            self.prices_told = {service.id: service.rate for service in simulator.services()}
        elif action == "status":
            self._note_told(form, stale=fault is Fault.STALE_STATUS)
        for entry in self.fresh_effects():
            if entry.kind in PAID_KINDS and entry.request:
                self.effects.append(Effect(entry, intent, self.seconds(), self._possible(entry)))
        return reply

    def fresh_effects(self) -> list[Entry]:
        """The journal's effects since the last call. Read from the writer, for a journal copies all."""
        made = self.simulator._writer._effects
        fresh = made[self._read :]
        self._read = len(made)
        return fresh

    def _note_told(self, form: dict[str, str], stale: bool) -> None:
        book = self.simulator.book
        now = self.simulator.clock.seconds() - (STALE_BY if stale else 0)
        for text in (form.get("orders") or form.get("order", "")).split(","):
            try:
                look: Any = book.look(book.account(self.simulator.settings.accounts[0].label), text, now)
            except Exception:  # an ID the panel doesn't know
                continue
            if hasattr(look, "remains"):
                self.told[text].add((str(look.status), 1 if look.remains > 0 else 0))

    def _possible(self, entry: Entry) -> Decimal:
        if not entry.amount:
            return Decimal(0)
        service = int(entry.service)
        sold_at = next((row.rate for row in self.simulator.services() if row.id == service), None)
        told = self.prices_told.get(service)
        if not sold_at or told is None:
            return entry.amount
        return entry.amount * told / sold_at
