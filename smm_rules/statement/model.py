"""A statement of account. Money is Decimal, by currency, and never added up across currencies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from smm_rules.ledger.audit import Head
from smm_rules.statement.span import Span

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Line:
    """What one rule did on one panel in one currency. `rule` is empty for orders that no rule placed.

    `spent` is what its confirmed orders cost, `in_doubt` what those cost of which nobody knows whether they
    happened, `held` what those would cost that wait for the operator now.
    """

    rule: str
    currency: str
    orders: int = 0
    spent: Decimal = ZERO
    refunds: int = 0
    refunded: Decimal = ZERO
    refills: int = 0
    cancels: int = 0
    doubts: int = 0
    in_doubt: Decimal = ZERO
    waiting: int = 0
    held: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The balance beside what is known of its movements, between two readings.

    `opening` is the last reading before the span, or the first in it; `closing` the last in it. `rises` and
    `falls` are all movements that were seen; opening + rises - falls = closing, always. `spent` and
    `refunded` are what the ledger knows of between the two readings, `in_doubt` and `not_seen` what may have
    been and what was spent without having been seen: since the opening, and since the closing.
    """

    currency: str
    opening: Decimal
    opening_at: datetime
    closing: Decimal
    closing_at: datetime
    rises: Decimal
    falls: Decimal
    spent: Decimal
    refunded: Decimal
    in_doubt: Decimal
    not_seen: Decimal = ZERO

    @property
    def expected(self) -> Decimal:
        """What the balance should be by the ledger."""
        return self.opening - self.spent + self.refunded

    @property
    def unexplained(self) -> Decimal:
        """What the balance is above that, or below it where negative."""
        return self.closing - self.expected

    @property
    def unexplained_rises(self) -> Decimal:
        """Rises beyond the refunds: top-ups, or refunds that weren't seen."""
        return self.rises - self.refunded

    @property
    def unexplained_falls(self) -> Decimal:
        """Falls beyond the spending: orders placed elsewhere, fees, or what is in doubt."""
        return self.falls - self.spent

    @property
    def agrees(self) -> bool:
        """Whether every movement that was seen is known, and every one known was seen."""
        return not (self.unexplained_rises or self.unexplained_falls or self.not_seen)


@dataclass(frozen=True, slots=True)
class PanelStatement:
    """One panel. `reconciliation` is None where its balance was never read."""

    panel: str
    lines: tuple[Line, ...]
    reconciliation: Reconciliation | None


@dataclass(frozen=True, slots=True)
class Statement:
    """All panels over a span. `head` is the end of the record of decisions, to be kept elsewhere.

    `complete` is false when the span begins before the oldest that the ledger still keeps.
    """

    span: Span
    panels: tuple[PanelStatement, ...]
    head: Head
    complete: bool
