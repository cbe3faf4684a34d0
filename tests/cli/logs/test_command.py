"""`smm-rules logs` as it is typed."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.command import said
from tests.cli.logs.test_lines import NOON, written
from tests.cli.logs.test_sources import entry, stand_in

Capture = pytest.CaptureFixture[str]
FIRED = written("rule.fired", rule="top-up", entity="order/north/7", reason="fired", correlation="ab12")
FAILED = written(
    "panel.poll_failed", "warning", NOON + timedelta(minutes=1), panel="north", error="timed out"
)


@pytest.fixture
def log(here: Path) -> Path:
    path = here / "daemon.log"
    path.write_text(f"{FIRED}\nTraceback\n{FAILED}\n", encoding="utf-8")
    return path


def test_a_file_is_shown_readably(log: Path, capsys: Capture) -> None:
    told = said(capsys, "logs", str(log))
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines() == [
        "2026-03-01 12:00:00Z INFO     rule.fired rule=top-up entity=order/north/7 reason=fired "
        "correlation=ab12",
        "| Traceback",
        '2026-03-01 12:01:00Z WARNING  panel.poll_failed panel=north error="timed out"',
    ]


def test_what_is_left_out_unread_is_counted(log: Path, capsys: Capture) -> None:
    told = said(capsys, "logs", str(log), "--order", "7")
    assert (told.out.count("\n"), told.err) == (
        1,
        "1 line is no event and doesn't name what was asked for.\n",
    )


def test_the_last_lines_and_json(log: Path, capsys: Capture) -> None:
    told = said(capsys, "logs", str(log), "-n", "2", "--json")
    assert [json.loads(line) for line in told.out.splitlines()] == [{"text": "Traceback"}, json.loads(FAILED)]


def test_standard_input(here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{FIRED}\n{FAILED}\n".encode())))
    told = said(capsys, "logs", "-", "--level", "warning")
    assert told.out.count("\n") == 1


def test_the_journal_is_read_where_no_file_is_named(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(here, monkeypatch, f"print({entry('c1', FIRED)!r})")
    told = said(capsys, "logs", "--unit", "smm-rules@two")
    assert "rule.fired rule=top-up" in told.out
    assert json.loads((here / "asked").read_text(encoding="utf-8"))[-1] == "--unit=smm-rules@two"


def test_an_empty_journal_says_so(here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(here, monkeypatch, "")
    told = said(capsys, "logs")
    assert (told.code, told.out) == (0, "")
    assert (
        told.err == "The journal has nothing of the unit smm-rules. Another unit: --unit; a file: name it.\n"
    )


def test_wrong_use(log: Path, capsys: Capture) -> None:
    assert said(capsys, "logs", str(log), "--since", "yesterday-ish").code == 2
    assert said(capsys, "logs", str(log), str(log), "-f").code == 2
    assert said(capsys, "logs", "none.log").code == 2


def _hears_ctrl_c() -> None:
    """Tests that run in the background of a script inherit that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_growing_file_is_followed_until_it_is_interrupted(log: Path) -> None:
    """In a process of its own: it ends by a signal."""
    command = ["smm-rules", "logs", str(log), "-f", "--order", "7"]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, preexec_fn=_hears_ctrl_c
    ) as process:
        assert process.stdout is not None
        assert "rule.fired" in process.stdout.readline()
        with log.open("a", encoding="utf-8") as file:
            file.write(written("action.confirmed", intent=5, entity="order/north/7") + "\n")
        assert "action.confirmed" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
