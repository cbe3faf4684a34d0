"""A purchase that turned out to have happened, after the operator said that it hadn't: nobody asks anew."""

from __future__ import annotations

import pytest

from smm_rules.actions.late_answers import take_late_answer
from smm_rules.actions.resolve import resolve_did_not
from smm_rules.engine.firing import IntentDraft
from smm_rules.ledger.plans import NEVER_SENT, NOTHING_BOUGHT, PlanRow, RowKey
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import IntentState, Outcome
from smm_rules.notify.operator import OperatorVoice
from smm_rules.receiving.reading import intent_answer
from smm_rules.rules.model import StepKind
from tests.ledger.builders import MINUTE, T0

ROW = PlanRow(RowKey("", "A-1"), "digest", IntentDraft("", StepKind.ADD, "north", {"service": "7"}))


@pytest.mark.parametrize("again", [NEVER_SENT, NOTHING_BOUGHT])
@pytest.mark.parametrize(("state", "planned"), [(IntentState.CONFIRMED, 0), (IntentState.REJECTED, 1)])
async def test_an_answer_that_came_late_keeps_the_row_from_being_bought_again(
    ledger: Ledger, again: frozenset[IntentState], state: IntentState, planned: int
) -> None:
    """A slow panel, a command that was taken for dead, an operator who said that nothing was bought."""
    await ledger.place_plan("monday", "file", [ROW], (), T0, "ann")
    assert await ledger.claim(1, "command:7", T0, {})
    slow = await ledger.intent(1)
    assert slow is not None
    await ledger.recover(T0 + MINUTE, "command:7", T0)
    voice = OperatorVoice(ledger, "ops")
    await resolve_did_not(ledger, voice, 1, T0 + MINUTE, "ann")
    await take_late_answer(ledger, voice, slow, Outcome(state, "accepted", result="4711"), T0 + MINUTE)

    assert await ledger.place_plan("monday", "file", [ROW], again, T0 + 2 * MINUTE, "ann") == planned
    answered = await ledger.intent(1)
    assert answered is not None
    told = intent_answer(answered)
    assert (told.state, told.final) == (("not_sent", True) if planned else ("unknown", False))
