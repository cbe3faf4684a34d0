"""Guards over all rules and over single panels, and the policy on actions in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from smm_rules.document.allowances import Counts, Money, Spend
from smm_rules.document.types import Duration, Percentage, Settings, at_least, one_or_many

_MINUTE = at_least(timedelta(minutes=1))


class BreakerSettings(Settings):
    """When actions of a panel or a rule are stopped because too many of the last `of` went wrong.

    `errors` is the share in doubt or not sent, `refused` the share refused; without one there is no such
    bound. A panel's breaker is closed by the first answer it gives to a look after `pause`.
    """

    errors: Percentage | None = Decimal("0.5")
    refused: Percentage | None = None
    of: Annotated[int, Field(ge=2, le=1_000)] = 20
    pause: Annotated[Duration, _MINUTE] = timedelta(minutes=30)


class PanelGuards(Settings):
    """What bounds the actions on one panel, whatever asks for them. Money is in the panel's own currency."""

    spend: Spend = ()
    actions: Counts = ()
    keep_balance: Money | None = None
    share_of_orders: Percentage | None = None
    breaker: BreakerSettings | None = None


class GuardSettings(Settings):
    """What bounds the actions on all panels together; money is added up by currency, never across them.

    `max_rate_increase` is for a reorder that states none itself.
    """

    hints: ClassVar[Mapping[str, str]] = {
        "keep_balance": "Write it below the panel: panels: [{name: …, guards: {keep_balance: 10.00}}]"
    }

    spend: Spend = ()
    actions: Counts = ()
    share_of_orders: Percentage | None = None
    max_rate_increase: Percentage | None = Decimal("0.25")
    breaker: BreakerSettings | None = BreakerSettings()


class UnknownSettings(Settings):
    """What may prove by itself that an action in doubt did happen. Nothing ever proves that it didn't."""

    prove_by: Annotated[
        tuple[Literal["balance", "status"], ...],
        one_or_many(Literal["balance", "status"]),
        Field(strict=False),
    ] = ()
