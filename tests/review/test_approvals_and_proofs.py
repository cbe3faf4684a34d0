"""Approvals end at their time, a deadline is that of one question, a balance is of when it was asked for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.actions import collect_evidence
from smm_rules.actions.proving import prove
from smm_rules.engine.firing import IntentDraft
from smm_rules.engine.guards import Bounds, Guards
from smm_rules.ledger.port import LedgerError, StateConflict
from smm_rules.ledger.records import DatedBalance, IntentState, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stamp import StampFile
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.answers import Balance
from smm_rules.panel.errors import Ambiguous
from smm_rules.rules.model import NO_RULE_GUARDS, ApprovalNeed, RuleGuards, StepKind
from tests.actions.world import MINUTE, PANEL, World, order
from tests.ledger.builders import planned
from tests.ledger.contract.test_guards import NOON, Books, firing_of, per

HOUR = timedelta(hours=1)
ASKS = RuleGuards(approval=ApprovalNeed(Decimal("1.00"), 2 * HOUR))


async def test_no_approval_is_taken_once_it_has_expired(world: World) -> None:
    """The daemon that would have denied it may have been down meanwhile."""
    books = Books(world.ledger)
    one = await books.fire("2.00", guards=ASKS)

    with pytest.raises(StateConflict, match="2026-03-31 14:00 UTC"):
        await world.ledger.approve(one.id, NOON + 3 * HOUR, "ann")

    assert (await books.intent(one.id)).state is IntentState.HELD
    denied = await world.ledger.deny(one.id, NOON + 3 * HOUR, "ann")
    assert denied.state is IntentState.DENIED


async def test_what_was_approved_in_time_and_held_for_something_else_has_no_deadline(world: World) -> None:
    books = Books(world.ledger)
    one = await books.fire("2.00", guards=ASKS)
    await world.ledger.approve(one.id, NOON + HOUR, "ann")

    held = await world.ledger.hold(one.id, "rate_increase", "it became dearer", NOON + HOUR)

    assert held.expires_at is None
    assert await world.ledger.expired(NOON + 3 * HOUR, 10) == ()
    again = await world.ledger.approve(one.id, NOON + 3 * HOUR, "ann")
    assert again.state is IntentState.PLANNED


async def test_a_purchase_settled_while_the_balance_before_was_read_may_explain_the_fall(
    world: World,
) -> None:
    """The answer may have been of the moment the panel was asked, before that purchase was charged."""
    await world.know()
    asked_at = world.clock.now()
    await world.track(2, link="https://example.com/b", quantity="1000")
    await world.reorder(entity=order(2))
    await world.run()
    world.clock.move(timedelta(seconds=1))
    reading = DatedBalance(Decimal(100), "USD", asked_at, world.clock.now())
    await world.ledger.note_balance(PANEL, reading)
    await world.track(1, link="https://example.com/a", quantity="1000")
    world.panel.script = [Ambiguous("no answer")]
    doubtful = await world.reorder(entity=order(1))
    await world.run()
    world.clock.move(MINUTE)
    now = world.clock.now()
    await collect_evidence(world.ledger, PANEL, Balance(Decimal("98.00"), "USD"), now, now)

    count = await prove(world.ledger, OperatorVoice(world.ledger, "ops"), ("balance",), now)

    assert (count, await world.state(doubtful)) == (0, IntentState.UNKNOWN)


async def test_panels_whose_currency_is_not_known_share_a_sum(tmp_path: Path) -> None:
    """It may be the same: two sums of 5.00 would be one of 10.00 then. Neither hides what the other spent."""
    guards = Guards(Bounds(spend=per("5.00/day")))
    async with await SqliteLedger.open(tmp_path / "guarded.db", guards=guards) as ledger:
        books = Books(ledger)
        await books.settle(await books.fire("4.00", panel="south", currency=None), IntentState.CONFIRMED)
        firings = [
            planned(
                firing_of("again", order(n), order(n), NOON, NO_RULE_GUARDS, None),
                IntentDraft("do.0", StepKind.REORDER, panel, {}, Decimal("2.00"), None),
            )
            for n, panel in ((90, "north"), (91, "south"), (92, "north"), (93, "north"))
        ]
        recorded = await ledger.record(Sweep(NOON, firings=tuple(firings)))

        states = [(await books.intent(intent_id)).state for intent_id in recorded.intents]

    assert states == [IntentState.HELD] * 4


async def test_a_claim_that_can_not_be_stamped_is_tried_again_after_a_pause(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every tick it would fill the record of decisions, and the disk, which may be what is full."""
    books = Books(world.ledger)
    one = await books.fire("2.00")

    def full(*_: object, **__: object) -> None:
        raise LedgerError("there is no room on the disk")

    with monkeypatch.context() as patched:
        patched.setattr(StampFile, "move", full)
        with pytest.raises(LedgerError):
            await books.claim(one)
        before = await world.ledger.audit_head()
        again = await books.claim(one, NOON + timedelta(seconds=5))
        assert (again.state, await world.ledger.audit_head()) == (IntentState.PLANNED, before)
    assert await world.ledger.claimable(NOON + timedelta(seconds=5), 10) == ()
    sent = await books.claim(one, NOON + timedelta(minutes=1))
    assert sent.state is IntentState.SENDING
