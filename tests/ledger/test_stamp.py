"""The stamp beside the ledger: never ahead of it, never lost by half, and an older ledger never unnoticed."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import closing
from datetime import datetime
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smm_rules.engine.firing import Continuation
from smm_rules.ledger.audit import GENESIS, AuditKind, AuditQuery, Head, digest
from smm_rules.ledger.holds import Hold, HoldReason
from smm_rules.ledger.port import LedgerError, StateConflict
from smm_rules.ledger.records import IntentState, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stamp import Stamp, StampFile, StampUnreadable
from tests.ledger.builders import (
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
)

LATER = T0 + DAY


def stamp(number: int, ledger: str = "one", intents: int = 0) -> Stamp:
    return Stamp(ledger, Head(number, f"{number:064x}"), T0 + number * MINUTE, intents)


# -- the file -------------------------------------------------------------------------------------------
def test_no_file_is_no_stamp(tmp_path: Path) -> None:
    assert StampFile(tmp_path / "ledger.db").read() is None


def test_a_stamp_is_read_as_it_was_written_and_private(tmp_path: Path) -> None:
    file = StampFile(tmp_path / "ledger.db")
    file.begin(stamp(1, intents=4))
    assert file.read() == stamp(1, intents=4)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_a_stamp_moves_forward_only_and_forgets_nothing(tmp_path: Path) -> None:
    file = StampFile(tmp_path / "ledger.db")
    file.begin(stamp(1))
    file.move(Stamp("one", Head(3, "3" * 64), T0, 7, 1, {"north": "31"}), durable=True)
    file.move(Stamp("one", Head(2, "2" * 64), T0, 6, 1, {"south": "21"}), durable=False)
    found = file.read()
    assert found is not None
    assert (found.head.id, found.intents, found.claims) == (3, 7, 2)
    assert found.orders == {"north": "31", "south": "21"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.integers(1, 5), cut=st.integers(0, 400))
def test_a_write_that_was_cut_off_leaves_the_stamp_before(tmp_path: Path, moves: int, cut: int) -> None:
    file = StampFile(tmp_path / "ledger.db")
    file.path.unlink(missing_ok=True)
    for number in range(1, moves + 1):
        file.begin(stamp(number))
    before = file.path.read_bytes()
    file.begin(stamp(moves + 1))
    after = file.path.read_bytes().ljust(len(before), b"\0")
    differing = [place for place, byte in enumerate(after) if before[place : place + 1] != bytes([byte])]
    torn = differing[0] + min(cut, differing[-1] - differing[0])
    file.path.write_bytes(after[:torn] + before[torn:])
    found = file.read()
    assert found is not None
    assert found.head.id in (moves, moves + 1)


def test_a_file_of_nonsense_is_said_to_be_unreadable(tmp_path: Path) -> None:
    file = StampFile(tmp_path / "ledger.db")
    file.path.write_bytes(b"nonsense" * 20_000)
    with pytest.raises(StampUnreadable, match="neither of its two slots"):
        file.read()


def test_a_copy_of_the_file_knows_that_it_is_one(tmp_path: Path) -> None:
    file, copied = StampFile(tmp_path / "a.db"), StampFile(tmp_path / "b.db")
    file.begin(stamp(1))
    shutil.copy(file.path, copied.path)
    original, copy = file.read(), copied.read()
    assert original is not None
    assert copy is not None
    assert (original.original, copy.original) == (True, False)


# -- the ledger and its stamp ---------------------------------------------------------------------------
@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


async def _hold_at_start(path: Path) -> Hold | None:
    """What a daemon finds when it starts."""
    async with await SqliteLedger.open(path) as ledger:
        return await ledger.hold_if_doubtful("daemon", LATER)


async def _claimed(path: Path, episode: datetime = T0, number: int = 1) -> None:
    async with await SqliteLedger.open(path) as ledger:
        intent_id = await plan(ledger, draft(), episode, number)
        assert await ledger.claim(intent_id, "daemon", episode + MINUTE, {})


def _copy(path: Path, to: Path) -> None:
    """A copy by hand of a ledger that nobody has open."""
    shutil.copy(path, to)


async def test_a_fresh_ledger_is_not_held_and_begins_its_stamp(path: Path) -> None:
    assert await _hold_at_start(path) is None
    found = StampFile(path).read()
    assert found is not None
    assert found.head == Head(0, GENESIS)
    assert await _hold_at_start(path) is None


async def test_the_stamp_follows_the_record_and_a_claim_is_stamped_on_return(path: Path) -> None:
    async with await SqliteLedger.open(path) as ledger:
        intent_id = await plan(ledger, draft())
        assert await ledger.claim(intent_id, "daemon", T0 + MINUTE, {})
        claimed = StampFile(path).read()
        head = (await ledger.verify_audit()).head
        await ledger.settle(
            intent_id, ended(IntentState.CONFIRMED, tracked=new_order(99)), NOTHING, T0 + 2 * MINUTE, "daemon"
        )
        settled = StampFile(path).read()
    assert claimed is not None
    assert settled is not None
    assert (claimed.head, claimed.claims, claimed.intents) == (head, 1, 1)
    assert settled.orders == {"north": "99"}


async def test_a_ledger_ahead_of_its_stamp_is_in_order(path: Path) -> None:
    """The process died after the claim was durable and before it was stamped."""
    await _claimed(path)
    before = StampFile(path).path.read_bytes()
    await _claimed(path, T0 + DAY, 2)
    with StampFile(path).path.open("r+b") as file:
        file.write(before)  # in place, as it was
        file.truncate()
    assert await _hold_at_start(path) is None


async def test_an_older_copy_is_noticed_whatever_was_done_since(path: Path, tmp_path: Path) -> None:
    await _claimed(path)
    _copy(path, tmp_path / "backup.db")
    async with await SqliteLedger.open(path) as ledger:
        held = await plan(ledger, draft(), episode=T0 + DAY)
        await ledger.hold(held, "approval", "", T0 + DAY)
        await ledger.deny(held, T0 + DAY, "operator:ann")  # nothing was sent since
    _copy(tmp_path / "backup.db", path)
    hold = await _hold_at_start(path)
    assert hold is not None
    assert hold.reason is HoldReason.OLDER
    assert hold.gap.known_until == T0 + MINUTE
    assert hold.gap.stamped_at == T0 + DAY
    assert hold.gap.intents == (2, 2)


async def test_an_older_copy_that_was_worked_on_by_commands_is_noticed(path: Path, tmp_path: Path) -> None:
    await _claimed(path)
    _copy(path, tmp_path / "backup.db")
    await _claimed(path, T0 + DAY, 2)
    _copy(tmp_path / "backup.db", path)
    for number in range(10):  # past the stamp
        async with await SqliteLedger.open(path) as ledger:
            await ledger.audit(AuditKind.PAUSE, "operator:ann", "", {"number": number}, LATER)
    hold = await _hold_at_start(path)
    assert hold is not None
    assert hold.reason is HoldReason.DIVERGED


async def test_a_command_on_an_older_copy_sends_nothing_even_before_the_daemon_starts(
    path: Path, tmp_path: Path
) -> None:
    async with await SqliteLedger.open(path) as ledger:
        await plan(ledger, draft())
    _copy(path, tmp_path / "backup.db")
    await _claimed(path, T0 + DAY)
    _copy(tmp_path / "backup.db", path)
    async with await SqliteLedger.open(path) as ledger:
        with pytest.raises(StateConflict, match="on hold"):
            await ledger.claim(1, "operator", LATER, {})
        with pytest.raises(StateConflict, match="on hold"):
            await ledger.ask(draft(), order(), LATER, "operator:ann")
        intent = await ledger.intent(1)
    assert intent is not None
    assert intent.state is IntentState.PLANNED


async def test_a_ledger_deleted_beside_its_stamp_is_noticed(path: Path) -> None:
    await _claimed(path)
    path.unlink()
    hold = await _hold_at_start(path)
    assert hold is not None
    assert hold.reason is HoldReason.OTHER_LEDGER
    assert hold.gap.intents == (1, 1)


async def test_a_missing_stamp_is_noticed(path: Path) -> None:
    await _claimed(path)
    StampFile(path).path.unlink()
    hold = await _hold_at_start(path)
    assert hold is not None
    assert hold.reason is HoldReason.STAMP_MISSING


async def test_a_damaged_stamp_is_noticed(path: Path) -> None:
    await _claimed(path)
    StampFile(path).path.write_bytes(b"x" * 140_000)
    hold = await _hold_at_start(path)
    assert hold is not None
    assert hold.reason is HoldReason.STAMP_UNREADABLE


async def test_ledger_and_stamp_put_back_together_are_noticed(path: Path, tmp_path: Path) -> None:
    await _claimed(path)
    elsewhere = tmp_path / "backup"
    elsewhere.mkdir()
    for file in (path, StampFile(path).path):
        _copy(file, elsewhere / file.name)
    hold = await _hold_at_start(elsewhere / "ledger.db")
    assert hold is not None
    assert hold.reason is HoldReason.STAMP_COPIED


async def test_orders_the_stamp_knows_and_the_ledger_does_not_are_named(path: Path, tmp_path: Path) -> None:
    await _claimed(path)
    _copy(path, tmp_path / "backup.db")
    async with await SqliteLedger.open(path) as ledger:
        made = ended(IntentState.CONFIRMED, tracked=new_order(99))
        await ledger.settle(1, made, NOTHING, T0 + 2 * MINUTE, "daemon")
    _copy(tmp_path / "backup.db", path)
    hold = await _hold_at_start(path)
    assert hold is not None
    assert hold.gap.orders == {"north": "99"}


async def test_a_claim_that_cannot_be_stamped_is_taken_back_and_goes_later(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await SqliteLedger.open(path) as ledger:
        intent_id = await plan(ledger, draft())

        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "fdatasync", full)
            with pytest.raises(LedgerError, match="nothing is sent without it"):
                await ledger.claim(intent_id, "daemon", T0 + MINUTE, {})
        intent = await ledger.intent(intent_id)
        assert intent is not None
        assert (intent.state, intent.attempts, intent.claimed_at) == (IntentState.PLANNED, 0, None)
        assert await ledger.claim(intent_id, "daemon", T0 + 2 * MINUTE, {})
        assert (await ledger.verify_audit()).fault is None


# -- on hold --------------------------------------------------------------------------------------------
async def _restored(path: Path, tmp_path: Path) -> Hold:
    """A ledger with a planned intent, put back from a copy after that intent was sent."""
    async with await SqliteLedger.open(path) as ledger:
        await ledger.track([new_order(1), new_order(2)], T0)
        await plan(ledger, draft())
    _copy(path, tmp_path / "backup.db")
    async with await SqliteLedger.open(path) as ledger:
        assert await ledger.claim(1, "daemon", T0 + MINUTE, {})
        await ledger.settle(1, ended(IntentState.CONFIRMED), NOTHING, T0 + MINUTE, "daemon")
    _copy(tmp_path / "backup.db", path)
    hold = await _hold_at_start(path)
    assert hold is not None
    return hold


async def test_what_was_planned_in_the_copy_waits_for_the_operator(path: Path, tmp_path: Path) -> None:
    await _restored(path, tmp_path)
    async with await SqliteLedger.open(path) as ledger:
        [intent] = await ledger.intents([], 10)
        assert (intent.state, intent.reason) == (IntentState.HELD, "restored")
        await ledger.approve(1, LATER, "operator:ann")
        assert await ledger.claimable(LATER, 10) == ()
        assert not await ledger.claim(1, "daemon", LATER, {})


async def test_what_rules_find_on_hold_is_planned_as_held(path: Path, tmp_path: Path) -> None:
    await _restored(path, tmp_path)
    async with await SqliteLedger.open(path) as ledger:
        sweep = fired(planned(firing(order(2), episode=LATER), draft()), at=LATER)
        [intent_id] = (await ledger.record(sweep)).intents
        intent = await ledger.intent(intent_id)
        assert intent is not None
        assert (intent.state, intent.reason) == (IntentState.HELD, "restored")


async def test_ids_handed_out_in_the_gap_never_come_to_mean_others(path: Path, tmp_path: Path) -> None:
    async with await SqliteLedger.open(path):
        pass
    _copy(path, tmp_path / "backup.db")
    await _claimed(path)
    _copy(tmp_path / "backup.db", path)
    assert await _hold_at_start(path) is not None
    async with await SqliteLedger.open(path) as ledger:
        assert await plan(ledger, draft(), episode=LATER) == 2


async def test_the_stamp_stays_as_it_was_until_the_operator_confirms(path: Path, tmp_path: Path) -> None:
    await _restored(path, tmp_path)
    before = StampFile(path).read()
    async with await SqliteLedger.open(path) as ledger:
        for number in range(20):
            await ledger.audit(AuditKind.PAUSE, "", "", {"number": number}, LATER)
        assert StampFile(path).read() == before
        await ledger.confirm_hold(LATER, "operator:ann", LATER)
    assert await _hold_at_start(path) is None
    found = StampFile(path).read()
    assert found is not None
    assert before is not None
    assert found.head.id > before.head.id


async def test_after_the_confirmation_only_what_began_since_acts(path: Path, tmp_path: Path) -> None:
    await _restored(path, tmp_path)
    async with await SqliteLedger.open(path) as ledger:
        for number, episode in ((1, T0 + MINUTE), (2, LATER + MINUTE)):
            await ledger.record(fired(planned(firing(order(number), episode=episode), draft()), at=LATER))
        confirmed = await ledger.confirm_hold(LATER, "operator:ann", LATER + 2 * MINUTE)
        assert confirmed.released == (3,)
        for number, episode in ((2, T0), (1, LATER + DAY)):
            await ledger.record(fired(planned(firing(order(number), "other", episode), draft()), at=LATER))
        states = {intent.id: intent.state.value for intent in await ledger.intents([], 10)}
    assert states == {1: "held", 2: "held", 3: "planned", 4: "held", 5: "planned"}


async def test_a_hold_is_confirmed_once(path: Path, tmp_path: Path) -> None:
    await _restored(path, tmp_path)
    async with await SqliteLedger.open(path) as ledger:
        await ledger.confirm_hold(LATER, "operator:ann", LATER)
        with pytest.raises(StateConflict, match="not on hold"):
            await ledger.confirm_hold(LATER, "operator:ann", LATER)


async def test_what_was_not_looked_at_since_is_counted(path: Path, tmp_path: Path) -> None:
    hold = await _restored(path, tmp_path)
    async with await SqliteLedger.open(path) as ledger:
        assert (await ledger.unseen(), await ledger.unseen(["south"])) == (2, 0)
        look = observed(order(1), {"status": "Partial"}, due_at=LATER + DAY)
        await ledger.record(Sweep(hold.at + MINUTE, (look,)))
        assert await ledger.unseen(["north"]) == 1


async def test_a_running_daemon_acts_again_once_another_process_confirmed(path: Path, tmp_path: Path) -> None:
    await _restored(path, tmp_path)
    async with await SqliteLedger.open(path) as daemon:
        assert await daemon.hold_if_doubtful("daemon", LATER) is not None
        async with await SqliteLedger.open(path) as command:
            await command.confirm_hold(LATER, "operator:ann", LATER)
        intent_id = await plan(daemon, draft(), episode=LATER + MINUTE)
        assert await daemon.claim(intent_id, "daemon", LATER + DAY, {})
        settled = ended(IntentState.CONFIRMED)
        await daemon.settle(intent_id, settled, Continuation(), LATER + DAY, "daemon")
    assert await _hold_at_start(path) is None


async def test_holds_are_in_the_record(path: Path, tmp_path: Path) -> None:
    await _restored(path, tmp_path)
    async with await SqliteLedger.open(path) as ledger:
        await ledger.confirm_hold(LATER, "operator:ann", LATER)
        kinds = [(entry.kind, entry.by) for entry in await ledger.audit_page(AuditQuery(), 0, 100)]
        assert ("hold", "daemon") in kinds
        assert ("hold_confirmed", "operator:ann") in kinds
        assert (await ledger.verify_audit()).fault is None


async def test_a_record_written_anew_shows_by_the_head_that_the_stamp_has(path: Path) -> None:
    await _claimed(path)
    async with await SqliteLedger.open(path) as ledger:
        with closing(apsw.Connection(str(path))) as connection:
            connection.execute("DROP TRIGGER audit_is_never_changed")
            last = connection.execute("SELECT max(id) FROM audit").get
            [before] = connection.execute("SELECT hash FROM audit WHERE id = ?", (last - 1,)).fetchall()
            [row] = connection.execute(
                "SELECT id, at, kind, 'somebody', subject, data FROM audit WHERE id = ?", (last,)
            ).fetchall()
            forged = (digest(before[0], *row), last)
            connection.execute("UPDATE audit SET by = 'somebody', hash = ? WHERE id = ?", forged)
        found = await ledger.verify_audit()
    assert found.fault is not None
    assert (found.fault.entry, "noted elsewhere" in found.fault.what) == (last, True)


async def test_processes_that_begin_a_ledger_at_once_find_nothing_wrong(path: Path) -> None:
    """The second looked for a stamp before the first had made ledger and stamp."""
    looked = StampFile(path)
    real, calls = StampFile.read, 0

    def late(file: StampFile) -> Stamp | None:
        nonlocal calls
        calls += 1
        return None if calls == 1 else real(file)

    async with await SqliteLedger.open(path):
        pass
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(StampFile, "read", late)
        async with await SqliteLedger.open(path) as ledger:
            assert ledger.finding is None
    assert looked.read() is not None
