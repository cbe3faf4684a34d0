"""A whole replay to be shown: what happened, what the rules in force and other rules would have done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from smm_rules.rehearsal.replay.comparing import Compared, compare
from smm_rules.rehearsal.replay.model import Account, Replayed, Span

#: What a replay takes for granted. Shown with every report.
ASSUMPTIONS = (
    "The daemon ran all the time and looked at each thing every poll interval: a gap in its own running, "
    "which would have restarted holds, is not in the history.",
    "Between two recorded observations nothing changed; after the last one a thing is as it was until the "
    "ledger last saw it.",
    "A panel in reach reads its catalogue in time; one out of reach fails once every poll interval.",
    "Panels accept every action. What a rehearsed refill or reorder would have made is never observed, and "
    "the balance is the recorded one.",
    "Money is what the catalogue's price of that moment comes to; currencies are never added up.",
)


@dataclass(frozen=True, slots=True)
class Side:
    """One column of a report: its title, its account, and the notes on what was played."""

    title: str
    account: Account
    replayed: Replayed | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """`real` is what happened, `rehearsed` one side for each set of rules that was played."""

    span: Span
    real: Side
    rehearsed: tuple[Side, ...]
    tolerance: timedelta

    @property
    def sides(self) -> tuple[Side, ...]:
        """All of them, what happened first."""
        return (self.real, *self.rehearsed)

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be known of the record to read the rest rightly, each once."""
        played = [note for side in self.rehearsed if side.replayed for note in side.replayed.notes]
        return tuple(dict.fromkeys(played))

    @property
    def rules(self) -> tuple[str, ...]:
        """Every rule of any side: those that were played in file order, then those only the ledger knows."""
        played = [name for side in self.rehearsed if side.replayed for name in side.replayed.rules]
        return tuple(dict.fromkeys((*played, *self.real.account.rules)))

    def compared(self) -> tuple[Compared, ...]:
        """Every firing with the sides it came on."""
        return compare([side.account for side in self.sides], self.tolerance)

    def differences(self) -> tuple[Compared, ...]:
        """The firings on which the sides don't agree: those that came on some alone, or at other times."""
        return tuple(one for one in self.compared() if one.differs)


def spent_text(account: Account) -> str:
    """Money by currency as text, such as `1.50 USD, 2 EUR`; what has no known price is counted."""
    parts = [f"{amount:f} {currency or '?'}" for currency, amount in account.spent.items()]
    if account.unpriced:
        parts.append(f"{account.unpriced} of unknown price")
    return ", ".join(parts)


def currencies(accounts: Sequence[Account]) -> tuple[str, ...]:
    """Every currency money was spent in."""
    return tuple(sorted({currency for account in accounts for currency in account.spent}))
