"""`smm-rules web`: the page as a process of its own, and a password's hash."""

from __future__ import annotations

import io
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from smm_rules.cli.exits import Exit
from smm_rules.ledger.records import IntentState
from smm_rules.web.password import matches
from tests.cli.command import configure, said
from tests.cli.stage import intent, stage


@pytest.fixture
def ready(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration and a ledger with an action in doubt."""
    monkeypatch.setenv("NORTH_KEY", "canary-key-7d1f")
    configure(here)
    stage(here / "ledger.db", intent(IntentState.UNKNOWN))
    return here


def test_the_page_is_served_until_it_is_told_to_stop(ready: Path) -> None:
    command = [Path(sys.executable).with_name("smm-rules"), "web", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            address = line.split()[5].rstrip(".")
            assert line == f"The status page is at {address}. Ctrl-C stops it.\n"
            assert "in doubt" in httpx.get(f"{address}intents/1").text
            assert httpx.get(f"{address}readyz").status_code == 503
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait() == Exit.DONE
        assert process.stderr is not None
        told = process.stderr.read()
    assert "for reading alone" in told
    assert "canary-key-7d1f" not in line + told


def test_a_busy_port_is_an_error(ready: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        address = f"127.0.0.1:{busy.getsockname()[1]}"
        answer = said(capsys, "web", "--listen", address)
    assert answer.code == Exit.FAILED
    assert f"can't listen on {address}: something else listens there already" in answer.err.replace("\n", " ")


def test_without_a_ledger_there_is_nothing_to_show(here: Path, capsys: pytest.CaptureFixture[str],
                                                   monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setenv("NORTH_KEY", "k")
    configure(here)
    assert said(capsys, "web", "--listen", "127.0.0.1:0").code == Exit.LEDGER
    assert not (here / "ledger.db").exists()


def test_an_address_that_others_reach_is_refused(ready: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = said(capsys, "web", "--listen", "0.0.0.0:0")
    assert (answer.code, "needs a `login`" in answer.err) == (Exit.CONFIGURATION, True)
    assert said(capsys, "web", "--listen", "nowhere").code == Exit.USAGE


def test_the_hash_of_a_password(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse battery\n"))
    answer = said(capsys, "web", "password")
    assert answer.code == Exit.DONE
    assert matches("correct horse battery", answer.out.strip())
    assert "horse" not in answer.out + answer.err


def test_a_password_too_short_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    answer = said(capsys, "web", "password")
    assert (answer.code, answer.out) == (Exit.USAGE, "")
    assert "at least 12 characters" in answer.err
