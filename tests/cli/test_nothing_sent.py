"""When nothing can be sent at all, `status` and `intents approve` say so and what to do."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.records import Heartbeat, IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stamp import StampFile
from tests.cli.command import configure, said
from tests.cli.stage import NOW, an_order_due_an_hour_ago, intent, stage

Capture = pytest.CaptureFixture[str]
TROUBLE = "the stamp /l.stamp can't be written: Permission denied; nothing is sent without it"


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: NOW)


async def _troubled(ledger: SqliteLedger) -> None:
    """The heartbeat of a daemon that can't write the stamp."""
    detail = {"status": "1 orders", "mode": "live", "stamp": TROUBLE, "stamp_since": NOW.isoformat()}
    await ledger.beat(Heartbeat("daemon", NOW, NOW - timedelta(seconds=5), detail))


async def _held_at_start(ledger: SqliteLedger) -> None:
    assert await ledger.hold_if_doubtful("daemon", NOW) is not None


def test_status_tells_of_the_stamp_that_the_daemon_cannot_use(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", _troubled)
    with DaemonLock(here / "ledger.db"):
        told = said(capsys, "status")
        shape = json.loads(said(capsys, "status", "--json").out)
    assert told.out.splitlines()[:2] == [f"nothing is sent: {TROUBLE}", "  smm-rules doctor"]
    assert shape["stamp_trouble"] == TROUBLE


def test_what_a_daemon_that_is_gone_could_not_do_is_no_news(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", _troubled)
    assert "nothing is sent" not in said(capsys, "status").out


def test_status_tells_of_a_stamp_that_cannot_be_read_from_here(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db")
    StampFile(here / "ledger.db").path.unlink()
    StampFile(here / "ledger.db").path.mkdir()
    told = said(capsys, "status")
    assert (told.code, "can't be read: Is a directory" in told.out) == (0, True)


@pytest.mark.parametrize("taken_up", [True, False])
def test_an_approval_says_that_the_ledger_is_on_hold(here: Path, capsys: Capture, taken_up: bool) -> None:
    configure(here)
    stage(here / "ledger.db", an_order_due_an_hour_ago, intent(IntentState.HELD))
    StampFile(here / "ledger.db").path.unlink()
    if taken_up:
        stage(here / "ledger.db", _held_at_start)
    with DaemonLock(here / "ledger.db"):
        told = said(capsys, "intents", "approve", "1")
    assert (told.code, "on hold" in told.err) == (0, True)
    assert "smm-rules hold show" in told.err


def test_an_approval_says_that_nothing_can_be_stamped(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", an_order_due_an_hour_ago, intent(IntentState.HELD), _troubled)
    with DaemonLock(here / "ledger.db"):
        told = said(capsys, "intents", "approve", "1")
    assert (told.code, TROUBLE in " ".join(told.err.split())) == (0, True)
