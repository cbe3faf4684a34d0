"""`smm-rules backup`, `restore` and `hold`: from a backup to acting again."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.records import IntentState, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stamp import StampFile
from tests.cli.command import configure, said
from tests.cli.stage import stage
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

Capture = pytest.CaptureFixture[str]
NOW = T0 + DAY


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: NOW)


async def _before(ledger: SqliteLedger) -> None:
    await ledger.track([new_order(1)], T0)
    await plan(ledger, draft(estimate="2.50"))


async def _after(ledger: SqliteLedger) -> None:
    assert await ledger.claim(1, "daemon", T0 + MINUTE, {})
    made = ended(IntentState.CONFIRMED, tracked=new_order(99))
    await ledger.settle(1, made, NOTHING, T0 + MINUTE, "daemon")


async def _daemon_starts(ledger: SqliteLedger) -> None:
    await ledger.hold_if_doubtful("daemon", NOW)


async def _daemon_looks(ledger: SqliteLedger) -> None:
    look = observed(order(1), {"status": "Partial"}, due_at=NOW + 2 * DAY)
    await ledger.record(Sweep(NOW, (look,)))


@pytest.fixture
def restored(here: Path, capsys: Capture) -> Path:
    """A directory with a ledger restored from a backup, one paid action later."""
    configure(here)
    path = here / "ledger.db"
    stage(path, _before)
    assert said(capsys, "backup", "copy.db").code == 0
    stage(path, _after)
    assert said(capsys, "restore", "copy.db", "--yes").code == 0
    return here


def test_a_backup_says_where_it_is_and_that_it_is_sound(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", _before)
    (here / "backups").mkdir()
    found = said(capsys, "backup", "backups")
    assert (found.code, "verified" in found.out) == (0, True)
    [made] = (here / "backups").iterdir()
    assert json.loads(said(capsys, "backup", str(made), "--json").out)["path"] == str(made)


def test_no_ledger_is_nothing_to_back_up(here: Path, capsys: Capture) -> None:
    configure(here)
    assert said(capsys, "backup", "copy.db").code == 4
    assert not (here / "ledger.db").exists()


def test_a_restore_says_what_is_not_known_and_what_comes_next(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", _before)
    said(capsys, "backup", "copy.db")
    stage(here / "ledger.db", _after)
    found = said(capsys, "restore", "copy.db", "--yes")
    assert found.code == 0
    assert "The ledger before is" in found.out
    assert "The last order that north confirmed is 99, which the ledger doesn't know." in found.out
    assert "smm-rules hold show" in found.out


def test_a_restore_beside_a_daemon_is_refused(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", _before)
    said(capsys, "backup", "copy.db")
    before = (here / "ledger.db").read_bytes()
    with DaemonLock(here / "ledger.db"):
        found = said(capsys, "restore", "copy.db", "--yes")
    assert (found.code, "another daemon" in found.err) == (4, True)
    assert (here / "ledger.db").read_bytes() == before


def test_without_a_terminal_and_without_yes_nothing_is_restored(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", _before)
    said(capsys, "backup", "copy.db")
    assert said(capsys, "restore", "copy.db").code == 2
    assert not list(here.glob("ledger.db.before*"))


def test_status_and_hold_show_say_that_nothing_is_sent(restored: Path, capsys: Capture) -> None:
    status = said(capsys, "status")
    assert status.out.splitlines()[0].startswith("on hold, nothing is sent:")
    assert json.loads(said(capsys, "status", "--json").out)["on_hold"] == "restored"
    shown = said(capsys, "hold", "show")
    assert "The ledger was restored from a backup." in shown.out
    assert "1 action held" in shown.out
    assert "2.50 USD" in shown.out
    assert "1 order not looked at since" in shown.out
    shape = json.loads(said(capsys, "hold", "show", "--json").out)
    assert (shape["hold"]["reason"], shape["unseen"], len(shape["held"])) == ("restored", 1, 1)


def test_a_hold_is_confirmed_once_all_was_looked_at(restored: Path, capsys: Capture) -> None:
    refused = said(capsys, "hold", "confirm", "--yes")
    assert (refused.code, "1 order not looked at" in refused.err) == (1, True)
    stage(restored / "ledger.db", _daemon_looks)
    done = said(capsys, "hold", "confirm", "--yes")
    assert (done.code, "Rules act again" in done.out) == (0, True)
    assert said(capsys, "hold", "confirm", "--yes").code == 1
    assert said(capsys, "hold", "show").out.startswith("The ledger is not on hold.")
    assert json.loads(said(capsys, "status", "--json").out)["on_hold"] is None


def test_since_lets_go_what_began_then_or_later(restored: Path, capsys: Capture) -> None:
    async def fires(ledger: SqliteLedger) -> None:
        began = NOW - timedelta(minutes=30)
        await ledger.record(fired(planned(firing(order(1), "other", began), draft()), at=NOW))

    stage(restored / "ledger.db", fires)
    done = said(capsys, "hold", "confirm", "--since", "1h", "--force", "--yes", "--json")
    assert json.loads(done.out)["released"] == [2]


def test_a_missing_stamp_is_told_before_the_daemon_takes_it_up(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", _before)
    StampFile(here / "ledger.db").path.unlink()
    assert "stamp beside the ledger is missing" in said(capsys, "hold", "show").out
    assert json.loads(said(capsys, "status", "--json").out)["on_hold"] == "stamp_missing"
    found = said(capsys, "hold", "confirm", "--yes")
    assert (found.code, "when it starts" in found.err) == (1, True)
    stage(here / "ledger.db", _daemon_starts)
    assert said(capsys, "hold", "confirm", "--force", "--yes").code == 0
    assert StampFile(here / "ledger.db").read() is not None


def test_no_hold_is_said(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", _before)
    assert said(capsys, "hold", "show").out == "The ledger is not on hold.\n"


def test_doctor_names_a_hold_before_and_after_the_daemon_took_it_up(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORTH_KEY", "k")
    configure(here)
    stage(here / "ledger.db", _before)

    def hold() -> dict[str, str]:
        findings = json.loads(said(capsys, "doctor", "--offline", "--json").out)
        [found] = [one for one in findings if one["subject"] == "hold"]
        return found

    assert hold()["state"] == "ok"
    StampFile(here / "ledger.db").path.unlink()
    assert (hold()["state"], "stamp beside the ledger is missing" in hold()["found"]) == ("problem", True)
    stage(here / "ledger.db", _daemon_starts)
    assert hold()["remedy"] == "smm-rules hold show"
