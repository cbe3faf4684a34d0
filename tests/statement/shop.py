"""A shop of one panel whose every movement is known, and the ledger that saw some of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.books import BalanceReading, Books, Refund
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.rules.model import StepKind
from tests.ledger.builders import T0

MINUTE = timedelta(minutes=1)


def intent(
    number: int,
    at: datetime,
    cost: Decimal | None,
    state: IntentState = IntentState.CONFIRMED,
    kind: StepKind = StepKind.REORDER,
    rule: str = "again",
    currency: str | None = "USD",
) -> Intent:
    """An intent claimed at `at`."""
    return Intent(
        id=number,
        firing=number,
        rule=rule,
        entity=Entity(EntityKind.ORDER, "north", str(number)),
        episode=at,
        step="do.0",
        kind=kind,
        panel="north",
        parameters={},
        state=state,
        reason="",
        message="",
        reserved=cost,
        currency=currency,
        attempts=1,
        not_before=None,
        planned_at=at,
        claimed_at=None if state is IntentState.HELD else at,
        settled_at=at,
        result=str(1000 + number),
        owner="daemon",
        evidence={},
    )


@dataclass
class Shop:
    """Time goes on by a minute with each thing that happens. The balance is read when `read` is called."""

    at: datetime = T0
    balance: Decimal = Decimal(100)
    readings: list[BalanceReading] = field(default_factory=list)
    sent: list[Intent] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    outside: Decimal = Decimal(0)

    def read(self, currency: str | None = "USD") -> None:
        self.at += MINUTE
        last = self.readings[-1] if self.readings else None
        if last is None or (last.amount, last.currency) != (self.balance, currency):  # what is the same
            self.readings.append(BalanceReading(self.at, self.balance, currency))  # is no observation

    def order(self, cost: Decimal, state: IntentState = IntentState.CONFIRMED, rule: str = "again") -> None:
        self.at += MINUTE
        self.sent.append(intent(len(self.sent) + 1, self.at, cost, state, rule=rule))
        if state is IntentState.CONFIRMED:
            self.balance -= cost

    def refund(self, amount: Decimal) -> None:
        self.at += MINUTE
        self.balance += amount
        self.refunds.append(Refund(self.at, "1001", amount, "USD", "again"))

    def moved_by_others(self, amount: Decimal) -> None:
        """A top-up, an order placed by hand, a fee."""
        self.at += MINUTE
        self.balance += amount
        self.outside += amount

    def books(self) -> Books:
        return Books("north", tuple(self.readings), tuple(self.sent), (), tuple(self.refunds))
