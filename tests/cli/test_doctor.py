"""`smm-rules doctor`: it finds what keeps the daemon from its work, says what to do, and only looks."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smm_rules.cli.doctor import examine
from smm_rules.cli.examination.finding import Finding, State
from smm_rules.ledger.lock import DaemonLock
from tests.cli.command import BROKEN, KEY, configure, said
from tests.cli.stage import NOW, beat, stage

Capture = pytest.CaptureFixture[str]
FIT = {"NORTH_KEY": KEY}


def found(subject: str, environment: dict[str, str] = FIT, now: datetime = NOW) -> list[Finding]:
    """The findings about `subject`, of the configuration here."""
    return [one for one in examine(None, environment, now, offline=True) if one.subject == subject]


def only(subject: str, environment: dict[str, str] = FIT, now: datetime = NOW) -> Finding:
    (finding,) = found(subject, environment, now)
    return finding


def test_a_fit_set_up_has_no_problem(here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTH_KEY", KEY)
    configure(here, url="http://127.0.0.1:9/api/v2")
    stage(here / "ledger.db")
    told = said(capsys, "doctor")
    assert told.code == 0
    assert "\nproblem" not in told.out
    assert KEY not in told.out + told.err


def test_it_makes_nothing(here: Path, capsys: Capture) -> None:
    configure(here)
    before = sorted(here.rglob("*"))
    said(capsys, "doctor", "--offline")
    assert sorted(here.rglob("*")) == before


def test_a_missing_configuration_keeps_the_rest_from_nothing(here: Path, capsys: Capture) -> None:
    told = said(capsys, "doctor", "--json")
    findings = json.loads(told.out)
    assert told.code == 1
    assert findings[0]["state"] == "problem"
    assert "smm-rules init" in findings[0]["remedy"]
    assert [one["subject"] for one in findings][1:] == ["clock", "time zone", "systemd"]


def test_a_broken_configuration_names_its_first_problem(here: Path) -> None:
    configure(here).write_text("panels: []\nrules: rules\nledger: l\nledgr: x\n", encoding="utf-8")
    finding = only("configuration")
    assert finding.state is State.PROBLEM
    assert "smm-rules.yaml:1:9: error: `panels` must not be empty" in finding.found


def test_one_account_under_two_names_is_a_warning(here: Path) -> None:
    path = configure(here)
    text = path.read_text(encoding="utf-8")
    (panel,) = [line for line in text.splitlines(keepends=True) if "name: north" in line]
    path.write_text(text.replace(panel, panel + panel.replace("north,", "second,")), encoding="utf-8")
    finding = only("panels")
    assert (finding.state, "are one account" in finding.found) == (State.WARNING, True)


def test_broken_rules_are_a_problem(here: Path) -> None:
    configure(here, rules=BROKEN)
    finding = only("rules")
    assert (finding.state, finding.found.partition(",")[0]) == (State.PROBLEM, "2 errors")


def test_a_missing_key_is_a_problem(here: Path) -> None:
    configure(here)
    assert only("key of north", {}) == Finding(
        "key of north",
        State.PROBLEM,
        "The environment variable NORTH_KEY is not set",
        "Set it for the daemon",
    )


def test_a_credential_can_only_be_looked_at_by_the_service(here: Path) -> None:
    path = configure(here)
    text = path.read_text(encoding="utf-8").replace("{env: NORTH_KEY}", "{credential: north}")
    path.write_text(text, encoding="utf-8")
    assert only("key of north").state is State.WARNING
    (here / "north").write_text(KEY, encoding="utf-8")
    assert only("key of north", {"CREDENTIALS_DIRECTORY": str(here)}).state is State.OK


def test_a_secret_file_open_to_others_is_a_problem(here: Path) -> None:
    path = configure(here)
    text = path.read_text(encoding="utf-8").replace("{env: NORTH_KEY}", "{file: north.key}")
    path.write_text(text, encoding="utf-8")
    secret = here / "north.key"
    secret.write_text(KEY, encoding="utf-8")
    secret.chmod(0o644)
    finding = only("key of north")
    assert (finding.state, finding.remedy) == (State.PROBLEM, f"Run: chmod 600 {secret}")
    secret.chmod(0o600)
    assert only("key of north").state is State.OK


def test_rules_that_others_can_change_are_a_warning(here: Path) -> None:
    configure(here).chmod(0o644)
    assert found("files") == []
    (here / "rules").chmod(0o777)
    finding = only("files")
    assert (finding.state, finding.remedy) == (State.WARNING, f"chmod go-w {here / 'rules'}")


def test_a_ledger_that_others_can_read_is_a_warning(here: Path) -> None:
    configure(here)
    stage(here / "ledger.db")
    assert only("ledger").state is State.OK
    (here / "ledger.db").chmod(0o644)
    finding = only("ledger")
    assert (finding.state, finding.remedy) == (State.WARNING, f"chmod 600 {here / 'ledger.db'}")


def test_a_sound_ledger_is_told_with_its_journal(here: Path) -> None:
    configure(here)
    stage(here / "ledger.db")
    assert (only("integrity").state, only("journal").state) == (State.OK, State.OK)


def test_another_programs_file_is_no_ledger(here: Path) -> None:
    configure(here)
    (here / "ledger.db").write_bytes(b"something else entirely, and long enough for a page" * 100)
    finding = only("ledger")
    assert finding.state is State.PROBLEM
    assert "the file is not a ledger" in finding.found


def test_a_damaged_ledger_is_a_problem(here: Path) -> None:
    configure(here)
    path = here / "ledger.db"
    stage(path)
    content = bytearray(path.read_bytes())
    content[8192:12288] = b"\xff" * 4096
    path.write_bytes(bytes(content))
    states = {one.state for one in [*found("integrity"), *found("ledger")]}
    assert State.PROBLEM in states


def test_a_ledgers_missing_directory_is_a_problem(here: Path) -> None:
    path = configure(here)
    text = path.read_text(encoding="utf-8").replace("ledger.db", "missing/ledger.db")
    path.write_text(text, encoding="utf-8")
    assert only("ledger").remedy == f"mkdir -p {here / 'missing'}, owned by the daemon's user"


def test_a_running_daemon_is_told_and_a_silent_one_is_stuck(here: Path) -> None:
    configure(here)
    stage(here / "ledger.db", beat(timedelta(minutes=3)))
    assert only("daemon").state is State.WARNING
    with DaemonLock(here / "ledger.db"):
        finding = only("daemon")
        assert finding.state is State.PROBLEM
        assert finding.found.endswith("hasn't beaten for 3m: it is stuck")
        early = NOW - timedelta(minutes=2)
        assert only("daemon", now=early).state is State.OK


def test_a_clock_behind_the_ledger_is_a_problem(here: Path) -> None:
    configure(here)
    stage(here / "ledger.db", beat(timedelta()))
    finding = only("clock", now=NOW - timedelta(hours=2))
    assert (finding.state, finding.found) == (
        State.PROBLEM,
        "it is 2h behind the daemon's last heartbeat",
    )


def test_a_clock_from_before_the_program_is_a_problem(here: Path) -> None:
    assert only("clock", now=datetime(1970, 1, 1, tzinfo=UTC)).state is State.PROBLEM


def test_an_unknown_host_is_a_problem_and_can_be_skipped(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    configure(here)
    (finding,) = (one for one in examine(None, FIT, NOW, offline=False) if one.subject == "host of north")
    assert (finding.state, finding.found) == (
        State.PROBLEM,
        "north.example: Name or service not known",
    )
    assert only("host of north").state is State.SKIPPED


def test_a_missing_extra_that_a_channel_needs_is_a_problem(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    path = configure(here)
    assert only("extra apprise").state is State.OK
    text = path.read_text(encoding="utf-8").replace("{log: {}}", '{apprise: "json://localhost"}')
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    finding = only("extra apprise")
    assert (finding.state, finding.remedy) == (State.PROBLEM, "pip install 'smm-rules[apprise]'")


@pytest.mark.parametrize(
    ("environment", "state"),
    [
        ({}, State.OK),
        ({"NOTIFY_SOCKET": "/run/systemd/notify", "WATCHDOG_USEC": "120000000"}, State.OK),
        ({"NOTIFY_SOCKET": "@notify"}, State.WARNING),
        ({"NOTIFY_SOCKET": "vsock:2:1234"}, State.WARNING),
    ],
)
def test_what_systemd_gives_is_told(here: Path, environment: dict[str, str], state: State) -> None:
    assert only("systemd", environment).state is state


def test_doubts_that_reach_the_log_alone_are_a_warning(here: Path) -> None:
    path = configure(here)
    assert only("operator").state is State.WARNING
    path.write_text(path.read_text(encoding="utf-8") + "operator: {channel: ops}\n", encoding="utf-8")
    assert only("operator").state is State.WARNING


def test_every_remedy_stands_below_what_was_found(here: Path, capsys: Capture) -> None:
    configure(here)
    told = said(capsys, "doctor", "--offline")
    assert told.code == 1
    lines = told.out.splitlines()
    at = next(index for index, line in enumerate(lines) if "NORTH_KEY is not set" in line)
    assert lines[at].startswith("problem  key of north")
    assert lines[at + 1].strip() == "→ Set it for the daemon"
