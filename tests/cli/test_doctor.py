"""`smm-rules doctor`: it finds what keeps the daemon from its work, says what to do, and only looks."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from smm_rules.cli.doctor import examine
from smm_rules.cli.examination.finding import Finding, State
from smm_rules.clock import Clock, SystemClock
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.records import Heartbeat, IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stamp import StampFile
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.simulator import DEFAULT_KEY, Fault, RunningSimulator
from tests.cli.command import BROKEN, KEY, configure, said
from tests.cli.stage import NOW, an_order_due_an_hour_ago, beat, intent, stage
from tests.ledger.builders import message

Capture = pytest.CaptureFixture[str]
FIT = {"NORTH_KEY": KEY}


@dataclass(frozen=True)
class Stopped:
    """A clock that shows one time."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds()


def found(subject: str, environment: dict[str, str] = FIT, now: datetime = NOW) -> list[Finding]:
    """The findings about `subject`, of the configuration here."""
    findings = examine(None, environment, Stopped(now), offline=True)
    return [one for one in findings if one.subject == subject]


def only(subject: str, environment: dict[str, str] = FIT, now: datetime = NOW) -> Finding:
    (finding,) = found(subject, environment, now)
    return finding


def test_a_fit_set_up_has_no_problem(
    here: Path, capsys: Capture, smm_panel: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORTH_KEY", DEFAULT_KEY)
    configure(here, url=smm_panel.url)
    stage(here / "ledger.db")
    told = said(capsys, "doctor")
    assert told.code == 0
    assert {entry.action for entry in smm_panel.journal.entries if entry.action} == {"balance"}
    assert "\nproblem" not in told.out
    assert DEFAULT_KEY not in told.out + told.err


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


def test_a_mapping_that_others_can_change_is_a_warning(here: Path) -> None:
    path = configure(here)
    path.write_text(path.read_text() + "services: services.yaml\n")
    mapping = here / "services.yaml"
    mapping.write_text("services:\n  - {name: a, state: proposed, services: {north: 1, south: 2}}\n")
    mapping.chmod(0o666)

    assert only("equal services").found.startswith(f"{mapping}: 0 groups confirmed, 1 proposals wait")
    assert "services.yaml can be changed by other users" in only("files").found
    mapping.write_text("services:\n  - {name: a, state: confirmed, services: {north: 1, south: 2}}\n")
    assert only("equal services").state is State.PROBLEM
    assert "services.yaml:2:" in only("equal services").found


@pytest.mark.parametrize(
    ("days", "state"), [(0, State.OK), (30, State.OK), (31, State.WARNING), (-1, State.WARNING)]
)
def test_exchange_rates_that_do_not_count_are_a_warning(here: Path, days: int, state: State) -> None:
    path = configure(here)
    day = (NOW - timedelta(days=days)).date()
    path.write_text(path.read_text() + f"exchange_rates: {{base: USD, as_of: {day}, rates: {{EUR: 1.08}}}}\n")

    assert only("exchange rates").state is state


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
    findings = {one.subject: one for one in examine(None, FIT, Stopped(NOW), offline=False)}
    finding = findings["host of north"]
    assert findings["panel north"].state is State.SKIPPED
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


def test_a_missing_extra_that_tracing_needs_is_a_problem(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = configure(here)
    text = path.read_text(encoding="utf-8") + "tracing: {endpoint: http://127.0.0.1:4318/v1/traces}\n"
    path.write_text(text, encoding="utf-8")
    assert only("extra tracing").state is State.OK
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    finding = only("extra tracing")
    assert (finding.state, finding.remedy) == (State.PROBLEM, "pip install 'smm-rules[tracing]'")


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


# -- files ----------------------------------------------------------------------------------------------
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@as_root
def test_a_file_beside_the_ledger_of_another_owner_is_a_problem(here: Path) -> None:
    configure(here)
    stage(here / "ledger.db")
    assert only("owner").state is State.OK
    stamp = StampFile(here / "ledger.db").path
    os.chown(stamp, 4321, 4321)
    finding = only("owner")
    assert (finding.state, finding.remedy) == (State.PROBLEM, f"chown root {stamp}")
    assert f"{stamp} to 4321" in finding.found


@as_root
def test_a_configuration_of_a_stranger_is_a_warning_and_one_of_the_daemons_user_is_not(here: Path) -> None:
    path = configure(here)
    path.chmod(0o600)
    stage(here / "ledger.db")
    os.chown(path, 4321, 4321)
    finding = only("files")
    assert (finding.state, finding.remedy) == (State.WARNING, "chown root smm-rules.yaml")
    for mine in (here / "ledger.db", StampFile(here / "ledger.db").path):
        os.chown(mine, 4321, 4321)
    assert found("files") == []


def test_a_directory_that_others_can_change_is_a_warning(here: Path) -> None:
    configure(here)
    stage(here / "ledger.db")
    assert found("directory") == []
    here.chmod(0o777)
    assert only("directory").remedy == f"chmod go-w {here}"
    here.chmod(0o1777)
    assert found("directory") == []
    here.chmod(0o700)


def test_a_stamp_open_to_others_is_a_warning(here: Path) -> None:
    configure(here)
    stage(here / "ledger.db")
    assert only("stamp").state is State.OK
    StampFile(here / "ledger.db").path.chmod(0o644)
    assert only("stamp").remedy == f"chmod 600 {StampFile(here / 'ledger.db').path}"


def test_a_stamp_that_cannot_be_read_is_a_problem_and_keeps_the_rest_from_nothing(here: Path) -> None:
    configure(here)
    stage(here / "ledger.db")
    StampFile(here / "ledger.db").path.unlink()
    StampFile(here / "ledger.db").path.mkdir()
    finding = only("stamp")
    assert (finding.state, "can't be read: Is a directory" in finding.found) == (State.PROBLEM, True)
    assert finding.remedy.startswith("Check who owns it")
    assert (only("hold").state, only("integrity").state) == (State.OK, State.OK)


def test_a_stamp_that_the_daemon_cannot_write_is_a_problem(here: Path) -> None:
    async def troubled(ledger: SqliteLedger) -> None:
        trouble = (
            "the stamp s can't be written: Permission denied; nothing is sent without it: check who owns it"
        )
        await ledger.beat(Heartbeat("daemon", NOW, NOW, {"status": "1 orders", "stamp": trouble}))

    configure(here)
    stage(here / "ledger.db", troubled)
    assert only("stamp").state is State.OK  # of a daemon that is gone
    with DaemonLock(here / "ledger.db"):
        finding = only("stamp")
    assert (finding.state, finding.remedy) == (State.PROBLEM, "Check who owns it")


# -- what waits -----------------------------------------------------------------------------------------
def test_nothing_that_waits_is_said(here: Path) -> None:
    configure(here)
    stage(here / "ledger.db")
    assert only("waiting").state is State.OK


def test_what_waits_for_the_operator_is_a_warning(here: Path) -> None:
    async def stopped_and_undelivered(ledger: SqliteLedger) -> None:
        await ledger.stop(StopKind.PANIC, StopScope.ALL, "", "too much at once", "operator:ann", NOW)
        await ledger.enqueue(message("k"), NOW)
        [queued] = await ledger.deliverable(NOW, 10)
        await ledger.undelivered(queued.id, "gone", None, NOW)

    configure(here)
    unknown = intent(IntentState.UNKNOWN)
    stage(here / "ledger.db", an_order_due_an_hour_ago, unknown, stopped_and_undelivered)
    assert only("in doubt").found == "1 action: it may have happened or not"
    assert "too much at once" in only("stopped").found
    assert only("messages").remedy == "smm-rules outbox list --dead"
    assert {only(subject).state for subject in ("in doubt", "stopped", "messages")} == {State.WARNING}
    assert found("waiting") == []


def test_the_last_backup_is_told_and_an_old_one_or_none_is_a_warning(here: Path) -> None:
    async def back_up(ledger: SqliteLedger) -> None:
        await ledger.backup(here / "copy.db", "operator:ann", NOW - timedelta(days=2))

    configure(here)
    stage(here / "ledger.db")
    assert only("backup").state is State.WARNING
    stage(here / "ledger.db", back_up)
    finding = only("backup")
    assert (finding.state, finding.found) == (State.OK, f"the last was made 2d ago: {here / 'copy.db'}")
    assert only("backup", now=NOW + timedelta(days=6)).state is State.WARNING
    (here / "copy.db").chmod(0o644)
    assert only("backup").remedy == f"chmod 600 {here / 'copy.db'}"
    (here / "copy.db").unlink()
    assert only("backup").state is State.OK  # it is kept elsewhere, as it should be


# -- what is outside ------------------------------------------------------------------------------------
def reached(subject: str, key: str = DEFAULT_KEY, clock: Clock | None = None, **more: bool) -> Finding:
    """The finding about `subject` of a doctor that asks."""
    findings = examine(None, {"NORTH_KEY": key}, clock or SystemClock(), offline=False, **more)
    (finding,) = (one for one in findings if one.subject == subject)
    return finding


def test_a_panel_that_takes_the_key_is_told_with_its_balance(here: Path, smm_panel: RunningSimulator) -> None:
    configure(here, url=smm_panel.url)
    finding = reached("panel north")
    assert (finding.state, finding.found.startswith("takes the key; the balance is ")) == (State.OK, True)
    assert reached("clock").state is State.OK


def test_a_key_that_is_refused_is_a_problem(here: Path, smm_panel: RunningSimulator) -> None:
    configure(here, url=smm_panel.url)
    finding = reached("panel north", key=KEY)
    assert (finding.state, finding.remedy) == (State.PROBLEM, "Take the key from the panel's account page")
    assert KEY not in finding.found


def test_a_panel_that_answers_nonsense_is_a_problem(here: Path, smm_panel: RunningSimulator) -> None:
    configure(here, url=smm_panel.url)
    smm_panel.faults.always("balance", Fault.HTML_BEFORE_EFFECT)
    finding = reached("panel north")
    assert (finding.state, "the balance can't be read" in finding.found) == (State.PROBLEM, True)


def test_a_panel_without_its_key_is_not_asked(here: Path, smm_panel: RunningSimulator) -> None:
    configure(here, url=smm_panel.url)
    assert reached("panel north", key="").state is State.SKIPPED
    assert [entry for entry in smm_panel.journal.entries if entry.action] == []


class _Panel(BaseHTTPRequestHandler):
    """A panel whose server shows the time, as most do."""

    def do_HEAD(self) -> None:
        self.send_response(405)
        self.end_headers()

    def do_POST(self) -> None:
        body = b'{"balance": "1.00", "currency": "USD"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def dated_panel() -> Iterator[str]:
    """The address of one."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Panel) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/v2"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("off", "state", "told"),
    [
        (timedelta(), State.OK, ""),
        (timedelta(minutes=2), State.WARNING, "ahead of panel north's"),
        (timedelta(minutes=-2), State.WARNING, "behind panel north's"),
        (timedelta(hours=1), State.PROBLEM, "ahead of panel north's"),
        (timedelta(hours=-1), State.PROBLEM, "behind panel north's"),
    ],
)
def test_a_clock_that_a_panels_contradicts_is_told(
    here: Path, dated_panel: str, off: timedelta, state: State, told: str
) -> None:
    class Off(SystemClock):
        def now(self) -> datetime:
            return super().now() + off

    configure(here, url=dated_panel)
    finding = reached("clock", clock=Off())
    assert (finding.state, finding.found.endswith(told)) == (state, True)
    assert reached("panel north", clock=Off()).found == "takes the key; the balance is 1.00 USD"


def test_a_channel_is_made_ready_and_used_only_when_asked(here: Path, capsys: Capture) -> None:
    path = configure(here, url="http://127.0.0.1:9/api/v2")
    assert reached("channel ops").found == "log, ready; no message was sent (--send sends one)"
    assert reached("channel ops", send=True).found == "log, took a test message"
    webhook = '{webhook: {url: "http://127.0.0.1:9/x", secret: {env: NORTH_KEY}}}'
    path.write_text(path.read_text(encoding="utf-8").replace("{log: {}}", webhook), encoding="utf-8")
    finding = reached("channel ops", send=True)
    assert (finding.state, finding.remedy) == (State.PROBLEM, "smm-rules notify ops --test")
    assert said(capsys, "doctor", "--offline", "--send").code == 2
