"""What a replay came to, and what really happened, in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from smm_rules.engine.firing import Firing, Occasion
from smm_rules.facts import Entity


@dataclass(frozen=True, slots=True)
class Span:
    """The time reported on, both ends included."""

    since: datetime
    until: datetime

    def holds(self, at: datetime) -> bool:
        """Whether `at` is within."""
        return self.since <= at <= self.until

    @property
    def days(self) -> tuple[date, ...]:
        """Every day it touches, UTC."""
        first = self.since.date()
        count = (self.until.date() - first).days + 1
        return tuple(first + timedelta(days=number) for number in range(count))


@dataclass(frozen=True, slots=True)
class Fired:
    """One firing, rehearsed or real: of the stretch that began at `episode`, the `ordinal`th reminder."""

    rule: str
    entity: Entity
    occasion: Occasion
    at: datetime
    episode: datetime | None = None
    ordinal: int = 0


def fired_of(firing: Firing) -> Fired:
    """A firing as an account has it."""
    return Fired(firing.rule, firing.entity, firing.occasion, firing.at, firing.episode, firing.ordinal)


@dataclass(frozen=True, slots=True)
class Acted:
    """One action, rehearsed or real, in the state it came to.

    `cost` is what it was expected to cost when it was sent, None for what costs nothing (`buys` false) or
    where the price wasn't known.
    """

    rule: str
    entity: Entity
    kind: str
    at: datetime
    state: str
    reason: str
    buys: bool = False
    cost: Decimal | None = None
    currency: str = ""

    @property
    def may_have_spent(self) -> bool:
        """Whether money went, or may have gone."""
        return self.buys and self.state in ("confirmed", "unknown")


@dataclass(frozen=True, slots=True)
class Limited:
    """A rule that would have fired and was stopped by a limit."""

    rule: str
    entity: Entity
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Account:
    """Everything of one side: rehearsed, or what happened. What happened doesn't tell of limits."""

    fired: tuple[Fired, ...] = ()
    acted: tuple[Acted, ...] = ()
    limited: tuple[Limited, ...] = ()

    def of(self, rule: str) -> Account:
        """The part of one rule."""
        return Account(
            tuple(one for one in self.fired if one.rule == rule),
            tuple(one for one in self.acted if one.rule == rule),
            tuple(one for one in self.limited if one.rule == rule),
        )

    def count(self, occasion: Occasion) -> int:
        """How many firings there are of an occasion."""
        return sum(one.occasion is occasion for one in self.fired)

    @property
    def held(self) -> tuple[Acted, ...]:
        """Actions that waited for the operator."""
        return tuple(one for one in self.acted if one.state == "held")

    @property
    def spent(self) -> dict[str, Decimal]:
        """Money by currency, never summed over currencies."""
        return total(self.acted)

    @property
    def unpriced(self) -> int:
        """Purchases whose price wasn't known."""
        return sum(one.may_have_spent and one.cost is None for one in self.acted)

    @property
    def rules(self) -> tuple[str, ...]:
        """Every rule something is told of, by name."""
        names = {one.rule for one in self.fired} | {one.rule for one in self.acted}
        return tuple(sorted(names | {one.rule for one in self.limited}))

    def on(self, day: date) -> Account:
        """The part of one day, UTC."""
        return Account(
            tuple(one for one in self.fired if one.at.date() == day),
            tuple(one for one in self.acted if one.at.date() == day),
            tuple(one for one in self.limited if one.at.date() == day),
        )


def total(acted: Iterable[Acted]) -> dict[str, Decimal]:
    """What actions cost by currency; an empty currency is one that wasn't known."""
    sums: dict[str, Decimal] = {}
    for one in acted:
        if one.may_have_spent and one.cost is not None:
            sums[one.currency] = sums.get(one.currency, Decimal(0)) + one.cost
    return dict(sorted(sums.items()))


@dataclass(frozen=True, slots=True)
class Replayed:
    """One replay: the rules by name in file order, what they would have done, and how much was looked at.

    `notes` say what must be known of the record to read the rest rightly.
    """

    rules: tuple[str, ...]
    account: Account
    observations: int = 0
    entities: int = 0
    notes: Sequence[str] = field(default_factory=tuple)
