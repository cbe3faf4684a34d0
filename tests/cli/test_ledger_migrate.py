"""`smm-rules ledger migrate`, and the commands on the database it moves to."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.postgres import Access
from smm_rules.ledger.postgres.daemon_lock import PostgresDaemonLock
from smm_rules.ledger.records import IntentState
from tests.cli.command import configure, said
from tests.cli.stage import an_order_due_an_hour_ago, beat, intent, stage

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def moved(here: Path, ledger_database: str, capsys: Capture) -> str:
    """A configuration whose ledger was moved into a database."""
    path = configure(here)
    stage(
        here / "ledger.db",
        an_order_due_an_hour_ago,
        intent(IntentState.PLANNED),
        beat(timedelta(seconds=5)),
    )
    done = said(capsys, "ledger", "migrate", "ledger.db", ledger_database, "--yes")
    assert (done.code, done.err.count("copied and compared")) == (0, done.err.count("\n"))
    text = path.read_text(encoding="utf-8")
    assert "ledger: ledger.db\n" in text
    text = text.replace("ledger: ledger.db\n", f"ledger: {ledger_database}\nstate_directory: .\n")
    path.write_text(text, encoding="utf-8")
    return ledger_database


def test_it_says_what_to_write_into_the_configuration(
    here: Path, ledger_database: str, capsys: Capture
) -> None:
    stage(here / "ledger.db", an_order_due_an_hour_ago)
    done = said(capsys, "ledger", "migrate", "ledger.db", ledger_database, "--yes")
    assert done.code == 0
    assert "each compared with the file's." in done.out
    assert f"  ledger: {ledger_database}\n" in done.out
    assert "  state_directory: " in done.out


def test_it_tells_scripts_of_each_table(here: Path, ledger_database: str, capsys: Capture) -> None:
    stage(here / "ledger.db", an_order_due_an_hour_ago)
    done = said(capsys, "ledger", "migrate", "ledger.db", ledger_database, "--yes", "--json")
    told = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert told["tables"]["orders"]["rows"] == 1
    assert len(told["tables"]["orders"]["sha256"]) == 64
    assert told["entries"] == 2


def test_it_waits_for_the_daemon_to_be_stopped(here: Path, ledger_database: str, capsys: Capture) -> None:
    stage(here / "ledger.db", an_order_due_an_hour_ago)
    with DaemonLock(here / "ledger.db"):
        done = said(capsys, "ledger", "migrate", "ledger.db", ledger_database, "--yes")
    assert (done.code, done.out) == (4, "")
    assert "another daemon" in done.err


def test_it_asks_first(here: Path, ledger_database: str, capsys: Capture) -> None:
    stage(here / "ledger.db", an_order_due_an_hour_ago)
    done = said(capsys, "ledger", "migrate", "ledger.db", ledger_database)
    assert done.code == 2
    assert "say --yes to go ahead" in done.err


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("postgresql://ann:secret@db.example/ledger?sslmode=require", "must not hold a password"),
        ("postgresql://ann@db.example/ledger", "must be encrypted to another machine"),
        ("postgresql://ann@127.0.0.1", "must name a database"),
    ],
)
def test_an_address_is_checked_like_the_configuration_s(
    here: Path, capsys: Capture, target: str, words: str
) -> None:
    done = said(capsys, "ledger", "migrate", "ledger.db", target, "--yes")
    assert done.code == 2
    assert words in done.err
    assert "secret" not in done.err.replace("must not hold", "")


def test_commands_work_on_the_database(here: Path, moved: str, capsys: Capture) -> None:
    status = said(capsys, "status", "--json")
    assert (status.code, json.loads(status.out)["ledger"]) == (0, moved)
    listed = said(capsys, "intents", "list", "--json")
    assert [one["id"] for one in json.loads(listed.out)] == [1]
    assert said(capsys, "orders", "track", "77", "--panel", "north").code == 0
    assert said(capsys, "orders", "list").out.count("77") == 1
    assert said(capsys, "audit", "verify").code == 0
    assert said(capsys, "pause", "all", "--reason", "a look").code == 0
    assert said(capsys, "intents", "deny", "1").code == 0
    assert said(capsys, "hold", "show").code == 0
    assert said(capsys, "statement").code == 0
    assert said(capsys, "explain", "1", "--panel", "north").code in (0, 1)


def test_the_file_is_refused_from_then_on(here: Path, moved: str, capsys: Capture) -> None:
    configure(here)
    done = said(capsys, "status")
    assert done.code == 4
    assert "was moved into a database" in done.err


def test_a_running_daemon_is_shown(here: Path, moved: str, capsys: Capture) -> None:
    with PostgresDaemonLock(Access(moved)):
        status = json.loads(said(capsys, "status", "--json").out)
        doctor = said(capsys, "doctor", "--offline", "--json")
    assert " on " in status["daemon"]["process"]
    found = {one["subject"]: one for one in json.loads(doctor.out)}
    assert found["daemon"]["found"].startswith("process ")
    assert found["ledger"]["found"].startswith(moved)
    assert found["hold"]["state"] == "ok"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("backup", "copy.db"), "pg_dump"),
        (("restore", "copy.db", "--yes"), "pg_restore"),
    ],
)
def test_what_is_postgresql_s_own_is_left_to_it(
    here: Path, moved: str, capsys: Capture, arguments: tuple[str, ...], words: str
) -> None:
    done = said(capsys, *arguments)
    assert (done.code, done.out) == (4, "")
    assert words in done.err


def test_a_database_that_is_away_is_told_of(here: Path, moved: str, capsys: Capture) -> None:
    path = here / "smm-rules.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(moved, "postgresql://ann@127.0.0.1:1/gone"), encoding="utf-8")
    done = said(capsys, "status")
    assert done.code == 4
    assert "the server can't be reached" in done.err
    doctor = said(capsys, "doctor", "--offline", "--json")
    found = {one["subject"]: one for one in json.loads(doctor.out)}
    assert found["ledger"]["state"] == "problem"
