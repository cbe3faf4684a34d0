"""What the run that was lost may have bought, asked for again after the ledger was put back."""

from __future__ import annotations

from datetime import datetime

import pytest

from smm_rules.engine.firing import IntentDraft
from smm_rules.ledger.holds import Gap, HoldReason
from smm_rules.ledger.plans import NEVER_SENT, NOTHING_BOUGHT, PlanRow, RowKey
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import Asked, IntentState, Outcome
from smm_rules.ledger.sql import holding
from smm_rules.rules.model import StepKind
from tests.ledger.builders import DAY, MINUTE, NOTHING, T0, draft

ROW = PlanRow(RowKey("", "A-1"), "digest", IntentDraft("", StepKind.ADD, "north", {"service": "7"}))


async def put_back(ledger: Ledger, at: datetime, since: datetime) -> None:
    """The ledger is found to be an older copy, and the operator confirms it with `since`."""
    gap = Gap(at, at, None, {}, "")
    await ledger._write(holding.place, HoldReason.OLDER, gap, "test", at)  # type: ignore[attr-defined]
    await ledger.confirm_hold(since, "ann", at)


async def place(ledger: Ledger, at: datetime, again: frozenset[IntentState] = NEVER_SENT) -> list[str]:
    """The states and reasons of the row's intents once it is placed again, oldest first."""
    await ledger.place_plan("monday", "file", [ROW], again, at, "ann")
    return [f"{one.state} {one.reason}".strip() for one in reversed(await ledger.intents((), 9))]


async def test_a_second_restore_forgets_nothing_of_the_first(ledger: Ledger) -> None:
    """Its operator lets rules act on what began before the first was confirmed."""
    await put_back(ledger, T0, T0)
    await put_back(ledger, T0 + MINUTE, T0 - DAY)

    asked = Asked("shop", "digest", "order-77")
    await ledger.purchase(draft("http.1", StepKind.ADD), asked, str, T0 + 2 * MINUTE, "http:shop")
    bought = await ledger.intent(1)
    assert bought is not None
    assert (bought.state, bought.reason) == (IntentState.HELD, "restored")
    assert (await place(ledger, T0 + 2 * MINUTE))[1] == "held restored"


@pytest.mark.parametrize(
    ("ended", "again"), [(IntentState.NOT_SENT, NEVER_SENT), (IntentState.REJECTED, NOTHING_BOUGHT)]
)
async def test_a_row_that_was_repeated_before_a_restore_is_held_however_late(
    ledger: Ledger, ended: IntentState, again: frozenset[IntentState]
) -> None:
    """The copy knows of a try that came to nothing; the run that was lost may have made another."""
    assert await place(ledger, T0) == ["planned"]
    assert await ledger.claim(1, "me", T0, {})
    await ledger.settle(1, Outcome(ended, "because"), NOTHING, T0, "me")
    await put_back(ledger, T0 + MINUTE, T0 + MINUTE)

    assert (await place(ledger, T0 + 9 * DAY, again))[1] == "held restored"


async def test_a_row_that_was_denied_after_a_restore_is_free_again(ledger: Ledger) -> None:
    assert await place(ledger, T0) == ["planned"]
    await ledger.refuse(1, Outcome(IntentState.NOT_SENT, "withdrawn"), NOTHING, T0)
    await put_back(ledger, T0 + MINUTE, T0 + MINUTE)
    await place(ledger, T0 + 9 * DAY)
    await ledger.deny(2, T0 + 9 * DAY, "ann")

    assert (await place(ledger, T0 + 9 * DAY, NOTHING_BOUGHT))[2] == "planned"
