"""What a check before an action can come to."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Why(StrEnum):
    """Why an action isn't sent now. Kept in the ledger as the intent's reason."""

    NO_LONGER_HOLDS = "no_longer_holds"
    NOT_LOOKED_AT = "not_looked_at"
    ORDER_UNKNOWN = "order_unknown"
    ORDER_FORGOTTEN = "order_forgotten"
    PANEL_UNKNOWN = "panel_unknown"
    SERVICE_UNKNOWN = "service_unknown"
    SERVICE_GONE = "service_gone"
    PARAMETERS = "parameters"
    QUANTITY = "quantity"
    MORE_THAN_ORDERED = "more_than_ordered"
    CATALOGUE_UNREAD = "catalogue_unread"
    CATALOGUE_STALE = "catalogue_stale"
    BALANCE_LOW = "balance_low"
    RATE_INCREASE = "rate_increase"
    NO_PANEL = "no_panel"
    ORDER_UNDER_WAY = "order_under_way"
    ORDER_COMPLETED = "order_completed"
    REPLACED = "replaced"
    ASKED_LONG_AGO = "asked_long_ago"
    EARLIER_IN_DOUBT = "earlier_in_doubt"
    CHECK_FAILED = "check_failed"
    DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True)
class Ready:
    """The action may be sent.

    `parameters` are those of the call, complete. `cost` is what it is expected to cost in `currency`, None
    for what costs nothing or where the catalogue doesn't tell. `rate` is today's price of 1000.
    """

    parameters: dict[str, str]
    cost: Decimal | None = None
    currency: str | None = None
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """The action can't be sent, now or later: a sentence says what is wrong and what to do."""

    reason: Why
    message: str


@dataclass(frozen=True, slots=True)
class Later:
    """The action can't be judged or afforded yet; it is looked at again until patience ends."""

    reason: Why
    message: str


@dataclass(frozen=True, slots=True)
class Hold:
    """The action waits for the operator. `evidence` says what exactly an approval would be for."""

    reason: Why
    message: str
    evidence: dict[str, str] = field(default_factory=dict)


Verdict = Ready | Refuse | Later | Hold
