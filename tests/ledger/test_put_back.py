"""What stands in a copy that is put back: nothing that the lost run may have sent goes out by an old word."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from smm_rules.ledger.holds import Hold
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.sqlite.copies import restore
from tests.ledger.builders import DAY, MINUTE, NOTHING, T0, draft, ended, plan

BY = "operator:ann"
LATER = T0 + DAY


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path / "state" / "ledger.db"


async def _send(ledger: SqliteLedger, intent_id: int, at: datetime) -> None:
    assert await ledger.claim(intent_id, "daemon", at, {})
    await ledger.settle(intent_id, ended(IntentState.CONFIRMED), NOTHING, at, "daemon")


def _put_back(copy: Path, path: Path, at: datetime, *, by_command: bool) -> None:
    if by_command:
        restore(copy, path, BY, at)
    else:
        shutil.copy(copy, path)


async def _start(ledger: SqliteLedger, at: datetime) -> Hold:
    """The daemon starts, twice."""
    hold = await ledger.hold_if_doubtful("daemon", at)
    assert hold is not None
    assert await ledger.hold_if_doubtful("daemon", at + MINUTE) == hold
    return hold


async def _only(ledger: SqliteLedger) -> Intent:
    [intent] = await ledger.intents([], 10)
    return intent


@pytest.mark.parametrize("by_command", [True, False])
async def test_what_waited_for_the_operator_in_the_copy_may_have_been_let_go_since(
    path: Path, tmp_path: Path, by_command: bool
) -> None:
    async with await SqliteLedger.open(path) as ledger:
        intent_id = await plan(ledger, draft())
        await ledger.hold(intent_id, "keep_balance", "too little would be left", T0)
        copy = (await ledger.backup(tmp_path / "copy.db", BY, T0 + MINUTE)).path
        await ledger.approve(intent_id, T0 + 2 * MINUTE, BY)
        await _send(ledger, intent_id, T0 + 3 * MINUTE)
    _put_back(copy, path, LATER, by_command=by_command)
    async with await SqliteLedger.open(path) as ledger:
        await _start(ledger, LATER)
        held = await _only(ledger)
        assert (held.state, held.reason) == (IntentState.HELD, "restored")
        assert held.message == (
            "it waited for you before the ledger was put back (keep_balance: too little would be left): "
            "it may have been approved and sent since"
        )
        last = (await ledger.transitions(held.id))[-1]
        assert (last.before, last.after, last.reason) == ("held", "held", "restored")
        confirmed = await ledger.confirm_hold(T0 - DAY, BY, LATER + MINUTE)
        assert confirmed.released == ()  # it waited for the operator then, and does so now
        assert (await _only(ledger)).state is IntentState.HELD
        assert (await ledger.verify_audit()).fault is None


@pytest.mark.parametrize("by_command", [True, False])
async def test_a_copy_made_on_hold_is_held_anew_once_that_hold_was_over(
    path: Path, tmp_path: Path, by_command: bool
) -> None:
    async with await SqliteLedger.open(path) as ledger:
        await plan(ledger, draft())
        first = (await ledger.backup(tmp_path / "first.db", BY, T0)).path
    restore(first, path, BY, T0 + MINUTE)
    async with await SqliteLedger.open(path) as ledger:
        before = await _start(ledger, T0 + 2 * MINUTE)
        await ledger.approve(1, T0 + 3 * MINUTE, BY)
        copy = (await ledger.backup(tmp_path / "on-hold.db", BY, T0 + 4 * MINUTE)).path
        await ledger.confirm_hold(T0, BY, T0 + 5 * MINUTE)
        await _send(ledger, 1, T0 + 6 * MINUTE)
        assert await plan(ledger, draft(), episode=T0 + 7 * MINUTE) == 2
    _put_back(copy, path, LATER, by_command=by_command)
    async with await SqliteLedger.open(path) as ledger:
        hold = await _start(ledger, LATER)
        assert hold.id > before.id
        assert hold.gap.intents == (2, 2)
        held = await _only(ledger)
        assert (held.state, held.reason) == (IntentState.HELD, "restored")
        await ledger.confirm_hold(LATER, BY, LATER + MINUTE)
        assert await ledger.open_hold() is None
        assert await ledger.claimable(LATER + DAY, 10) == ()
        assert await plan(ledger, draft(), episode=LATER + DAY) == 3
        with pytest.raises(StateConflict):
            await ledger.confirm_hold(LATER, BY, LATER + MINUTE)


async def test_a_copy_made_on_hold_and_put_back_on_hold_is_held_as_it_was(path: Path, tmp_path: Path) -> None:
    """Nothing was sent in between, so what the operator approved stays approved."""
    async with await SqliteLedger.open(path) as ledger:
        await plan(ledger, draft())
        first = (await ledger.backup(tmp_path / "first.db", BY, T0)).path
    restore(first, path, BY, T0 + MINUTE)
    async with await SqliteLedger.open(path) as ledger:
        before = await _start(ledger, T0 + 2 * MINUTE)
        await ledger.approve(1, T0 + 3 * MINUTE, BY)
        copy = (await ledger.backup(tmp_path / "on-hold.db", BY, T0 + 4 * MINUTE)).path
    restore(copy, path, BY, LATER)
    async with await SqliteLedger.open(path) as ledger:
        assert await _start(ledger, LATER) == before
        assert (await _only(ledger)).state is IntentState.PLANNED
