"""Holds and the stamp at work: who confirms what, what goes ahead by it, and what a claim leaves behind."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.engine.guards import Bounds, Guards
from smm_rules.facts.allowance import Allowance, Per
from smm_rules.ledger.audit import AuditQuery
from smm_rules.ledger.holds import Confirmed, Gap, Hold, HoldReason
from smm_rules.ledger.port import LedgerError, StateConflict
from smm_rules.ledger.records import IntentState, Leave, NewOrder, Sweep, Transition
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.sqlite.copies import restore
from smm_rules.ledger.stamp import StampFile
from tests.ledger.builders import (
    BALANCE,
    DAY,
    MINUTE,
    NOTHING,
    T0,
    draft,
    ended,
    fired,
    firing,
    new_order,
    observed,
    order,
    plan,
    planned,
    refill,
)

LATER = T0 + DAY
BY = "operator:ann"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir()
    return directory / "ledger.db"


async def _put_back(path: Path, tmp_path: Path, *sent: str) -> None:
    """A ledger with two orders and a planned intent for each, older than its stamp.

    In between the first was sent, which made the orders `sent` on panel north.
    """
    async with await SqliteLedger.open(path) as ledger:
        await ledger.track([new_order(1), new_order(2)], T0)
        for episode in (T0, T0 + MINUTE):
            await plan(ledger, draft(), episode)
    shutil.copy(path, tmp_path / "older.db")
    async with await SqliteLedger.open(path) as ledger:
        await ledger.claim(1, "d1", T0 + 2 * MINUTE, {})
        await ledger.settle(1, ended(IntentState.CONFIRMED), NOTHING, T0 + 2 * MINUTE, "d1")
        for minute, name in enumerate(sent, 3):
            at = T0 + minute * MINUTE
            intent_id = await plan(ledger, draft(), at)
            await ledger.claim(intent_id, "d1", at, {})
            made = ended(IntentState.CONFIRMED, tracked=NewOrder(order(name)))
            await ledger.settle(intent_id, made, NOTHING, at, "d1")
    shutil.copy(tmp_path / "older.db", path)


async def _held(path: Path, at: datetime = LATER) -> Hold | None:
    async with await SqliteLedger.open(path) as ledger:
        return await ledger.hold_if_doubtful("daemon", at)


# -- what a hold knows ----------------------------------------------------------------------------------
async def test_a_hold_knows_all_that_happened_in_between(path: Path, tmp_path: Path) -> None:
    await _put_back(path, tmp_path, "77", "78")
    hold = await _held(path)
    assert hold == Hold(
        1,
        LATER,
        HoldReason.OLDER,
        Gap(T0 + 2 * MINUTE, T0 + 4 * MINUTE, (3, 4), {"north": "78"}, ""),
        "daemon",
    )
    assert await _held(path, LATER + DAY) == hold
    async with await SqliteLedger.open(path) as ledger:
        assert await ledger.open_hold() == hold


async def test_an_order_that_the_ledger_knows_again_is_not_in_the_gap(path: Path, tmp_path: Path) -> None:
    await _put_back(path, tmp_path, "2")
    hold = await _held(path)
    assert hold is not None
    assert hold.gap.orders == {}


async def test_a_ledger_without_a_decision_knows_no_time_of_its_last(path: Path, tmp_path: Path) -> None:
    async with await SqliteLedger.open(path):
        shutil.copy(path, tmp_path / "older.db")
    async with await SqliteLedger.open(path) as ledger:
        await ledger.track([new_order(1)], T0)
    shutil.copy(tmp_path / "older.db", path)
    hold = await _held(path)
    assert hold is not None
    assert hold.gap == Gap(None, T0, None, {}, "")


async def test_why_a_ledger_would_be_put_on_hold_is_known_before_it_is(path: Path, tmp_path: Path) -> None:
    await _put_back(path, tmp_path)
    async with await SqliteLedger.open(path) as ledger:
        assert ledger.finding is not None
        assert ledger.finding.reason is HoldReason.OLDER
        await ledger.hold_if_doubtful("daemon", LATER)
        await ledger.confirm_hold(LATER, BY, LATER)
        assert ledger.finding is None
    async with await SqliteLedger.in_memory() as memory:
        assert memory.finding is None


async def test_a_restored_ledger_whose_stamp_is_not_ahead_is_on_hold_at_its_next_start(
    path: Path, tmp_path: Path
) -> None:
    async with await SqliteLedger.open(path) as ledger:
        await plan(ledger, draft())
        source = (await ledger.backup(tmp_path / "copy.db", BY, T0)).path
    hold = restore(source, path, BY, LATER).hold
    assert await _held(path) == hold
    assert hold.reason is HoldReason.RESTORED
    async with await SqliteLedger.open(path) as ledger:
        [noted] = await ledger.audit_page(AuditQuery(kinds=("restore",)), 0, 9)
        assert (noted.by, noted.at, noted.data["source"]) == (BY, LATER, str(source))
        with pytest.raises(StateConflict, match="the ledger is on hold"):
            await ledger.ask(draft(), order(1), LATER, BY)
        assert await ledger.claim(1, "d1", LATER, {}) is False


# -- confirming it --------------------------------------------------------------------------------------
async def test_a_hold_that_was_never_made_cannot_be_confirmed_away(path: Path, tmp_path: Path) -> None:
    await _put_back(path, tmp_path)
    before = StampFile(path).read()
    async with await SqliteLedger.open(path) as ledger:
        with pytest.raises(StateConflict, match="not on hold"):
            await ledger.confirm_hold(LATER, BY, LATER)
    assert StampFile(path).read() == before
    assert await _held(path) is not None


async def test_what_is_confirmed_goes_ahead_from_its_instant_on(path: Path, tmp_path: Path) -> None:
    await _put_back(path, tmp_path)
    hold = await _held(path)
    assert hold is not None
    async with await SqliteLedger.open(path) as ledger:
        confirmed = await ledger.confirm_hold(T0 + MINUTE, BY, LATER + MINUTE)
        assert confirmed == Confirmed(
            Hold(1, LATER, hold.reason, hold.gap, "daemon", LATER + MINUTE, BY, T0 + MINUTE), (2,)
        )
        assert [(one.id, one.state) for one in await ledger.intents([], 10)] == [
            (2, IntentState.PLANNED),
            (1, IntentState.HELD),
        ]
        assert (await ledger.transitions(2))[-1].by == BY
        assert await ledger.open_hold() is None
        assert await ledger.claim(2, "d1", LATER + 2 * MINUTE, {}) is True


@pytest.mark.parametrize(("began", "state"), [(LATER - MINUTE, "held"), (LATER, "planned")])
async def test_after_it_only_episodes_that_began_from_its_instant_on_act(
    path: Path, tmp_path: Path, began: datetime, state: str
) -> None:
    await _put_back(path, tmp_path)
    await _held(path)
    async with await SqliteLedger.open(path) as ledger:
        await ledger.confirm_hold(LATER, BY, LATER)
        what = firing(order(2), "other", began)
        [intent_id] = (await ledger.record(fired(planned(what, draft()), at=LATER))).intents
        found = await ledger.intent(intent_id)
    assert found is not None
    assert (found.state, found.reason) == (state, "restored" if state == "held" else "")


async def test_nothing_is_asked_or_claimed_on_hold(path: Path, tmp_path: Path) -> None:
    await _put_back(path, tmp_path)
    await _held(path)
    async with await SqliteLedger.open(path) as ledger:
        await ledger.approve(2, LATER, BY)
        assert await ledger.claim(2, "d1", LATER, {}) is False
        assert await ledger.claimable(LATER, 10) == ()
        with pytest.raises(StateConflict, match="the ledger is on hold"):
            await ledger.ask(draft(), order(1), LATER, BY)


async def test_of_two_that_confirm_at_once_the_second_is_told(path: Path, tmp_path: Path) -> None:
    await _put_back(path, tmp_path)
    await _held(path)
    async with await SqliteLedger.open(path) as one, await SqliteLedger.open(path) as other:
        await one.confirm_hold(LATER, BY, LATER)
        with pytest.raises(StateConflict, match="not on hold"):
            await other.confirm_hold(LATER, BY, LATER)


async def test_a_ledger_confirmed_beside_the_stamp_of_another_has_one_of_its_own_from_then_on(
    path: Path,
) -> None:
    async with await SqliteLedger.open(path) as ledger:
        await ledger.track([new_order(1)], T0)
    path.unlink()
    assert (await _held(path)) is not None
    async with await SqliteLedger.open(path) as ledger:
        await ledger.confirm_hold(LATER, BY, LATER)
    StampFile(path).path.unlink()
    hold = await _held(path)
    assert hold is not None
    assert hold.reason is HoldReason.STAMP_MISSING


# -- what was not looked at since -----------------------------------------------------------------------
async def test_orders_and_refills_count_as_unseen_until_they_are_looked_at(
    path: Path, tmp_path: Path
) -> None:
    await _put_back(path, tmp_path)
    await _held(path)
    async with await SqliteLedger.open(path) as ledger:
        looks = (observed(refill(1), {}, due_at=LATER), observed(BALANCE, {"status": "x"}, due_at=LATER))
        await ledger.record(Sweep(LATER - MINUTE, looks))
        assert await ledger.unseen() == 3
        settled = observed(order(1), {"status": "Completed"}, due_at=None)
        await ledger.record(Sweep(LATER - MINUTE, (settled,)))
        assert await ledger.unseen() == 2
        await ledger.record(Sweep(LATER, (observed(order(2), {"status": "Partial"}, due_at=LATER + DAY),)))
        assert await ledger.unseen() == 1
        await ledger.forget(refill(1), LATER)
        assert await ledger.unseen() == 0
        await ledger.confirm_hold(LATER, BY, LATER)
        assert await ledger.unseen() == 0


# -- a claim and its stamp ------------------------------------------------------------------------------
async def test_a_claim_taken_back_says_so_and_waits_a_minute(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    async with await SqliteLedger.open(path) as ledger:
        intent_id = await plan(ledger, draft())
        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", full)
            with pytest.raises(LedgerError, match="No space left on device"):
                await ledger.claim(intent_id, "d1", T0 + MINUTE, {})
        assert (await ledger.transitions(intent_id))[-2:] == (
            Transition(T0 + MINUTE, "planned", IntentState.SENDING, "", "", "d1"),
            Transition(T0 + MINUTE, "sending", IntentState.PLANNED, "stamp_failed", "", "d1"),
        )
        found = await ledger.intent(intent_id)
        assert found is not None
        assert (found.owner, found.not_before) == ("", T0 + 2 * MINUTE)
        assert [one.data["after"] for one in await ledger.audit_page(AuditQuery(intent=intent_id), 0, 9)] == [
            "planned",
            "sending",
            "planned",
        ]


async def test_a_claim_that_fails_is_not_stamped_as_one_and_what_it_wrote_is(path: Path) -> None:
    async with await SqliteLedger.open(path) as ledger:
        intent_id = await plan(ledger, draft())
        assert await ledger.claim(intent_id, "d1", T0, {}) is True
        assert await ledger.claim(intent_id, "d2", T0, {}) is False
        head = await ledger.audit_head()
    found = StampFile(path).read()
    assert found is not None
    assert (found.claims, found.head) == (1, head)


async def test_what_a_guard_did_with_a_claim_is_stamped(path: Path) -> None:
    none_today = Guards(Bounds(actions=(Allowance(Decimal(0), Per.DAY),)))
    async with await SqliteLedger.open(path) as unbounded:
        intent_id = await plan(unbounded, draft())
    async with await SqliteLedger.open(path, guards=none_today) as ledger:
        before = StampFile(path).read()
        assert await ledger.claim(intent_id, "d1", T0, {}) is False
        found, head = StampFile(path).read(), await ledger.audit_head()
    assert found is not None
    assert (found.head, found.claims) == (head, 0)
    assert before is not None
    assert before.head.id < head.id


async def test_each_claim_is_stamped_whoever_makes_it(path: Path) -> None:
    async with await SqliteLedger.open(path) as one, await SqliteLedger.open(path) as other:
        for number, ledger in enumerate((one, other, one)):
            intent_id = await plan(ledger, draft(), T0 + number * MINUTE, number)
            assert await ledger.claim(intent_id, f"d{number}", T0 + DAY, {}) is True
    found = StampFile(path).read()
    assert found is not None
    assert (found.claims, found.intents) == (3, 3)


async def test_a_write_that_decides_nothing_leaves_the_stamp_alone(path: Path) -> None:
    async with await SqliteLedger.open(path) as ledger:
        await ledger.track([new_order(1)], T0)
        before = StampFile(path).path.read_bytes()
        await ledger.record(Sweep(T0, (observed(order(1), {"status": "Pending"}),)))
        assert StampFile(path).path.read_bytes() == before


async def test_an_order_is_stamped_once_it_is_confirmed_and_not_before(path: Path) -> None:
    async with await SqliteLedger.open(path) as ledger:
        intent_id = await plan(ledger, draft())
        await ledger.claim(intent_id, "d1", T0, {})
        refused = ended(IntentState.REJECTED, tracked=NewOrder(order(9)))
        with pytest.raises(ValueError, match="made nothing to be watched"):
            await ledger.settle(intent_id, refused, NOTHING, T0, "d1")
        await ledger.settle(intent_id, ended(IntentState.UNKNOWN), NOTHING, T0, "d1")
        happened = ended(IntentState.CONFIRMED, tracked=NewOrder(order(8)))
        await ledger.resolve(intent_id, happened, NOTHING, T0, "ann")
    found = StampFile(path).read()
    assert found is not None
    assert found.orders == {"north": "8"}


async def test_a_process_stamps_only_the_orders_it_has_not_stamped_yet(path: Path) -> None:
    """What it had confirmed earlier may not stand in for what another process has confirmed since."""
    async with await SqliteLedger.open(path) as one, await SqliteLedger.open(path) as other:
        for number, ledger in enumerate((one, other), 1):
            intent_id = await plan(ledger, draft(), T0 + number * MINUTE)
            await ledger.claim(intent_id, f"d{number}", LATER, {})
            made = ended(IntentState.CONFIRMED, tracked=NewOrder(order(number)))
            await ledger.settle(intent_id, made, NOTHING, LATER, f"d{number}")
        await one.track([new_order(9)], LATER)
    found = StampFile(path).read()
    assert found is not None
    assert found.orders == {"north": "2"}


async def test_a_claimed_action_does_not_leave_once_there_is_a_hold(path: Path) -> None:
    async with await SqliteLedger.open(path) as ledger:
        first, second = await plan(ledger, draft()), await plan(ledger, draft(), T0 + MINUTE, 2)
        for intent_id in (first, second):
            assert await ledger.claim(intent_id, "d1", LATER, {}) is True
        await ledger.settle(second, ended(IntentState.UNKNOWN), NOTHING, LATER, "d1")
        assert await ledger.may_leave(first, "d1", 1, LATER) is Leave.YES
        StampFile(path).path.unlink()
        assert await _held(path) is not None
        assert await ledger.may_leave(first, "d1", 1, LATER) is Leave.STOPPED
        assert await ledger.may_leave(second, "d1", 1, LATER) is Leave.LOST
