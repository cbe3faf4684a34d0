"""`smm-rules simulate`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from smm_rules.cli.simulate import _SNIPPET
from smm_rules.config.load import load_configuration
from smm_rules.simulator import Journal
from tests.cli.command import said
from tests.cli.test_orders_track import COMMAND

Capture = pytest.CaptureFixture[str]
#: Nothing is ever listened to where the arguments are wrong, should a test fail.
FREE = ("--port", "0")


@contextmanager
def running(here: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The installed command, ended by Ctrl-C."""
    with subprocess.Popen(
        [COMMAND, "simulate", *FREE, *arguments],
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            os.kill(process.pid, signal.SIGINT)
            process.wait(30)


def document(process: subprocess.Popen[str]) -> dict[str, str]:
    """The JSON it writes once it answers."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line == "}\n":
            break
    told: dict[str, str] = json.loads(text)
    return told


def test_it_answers_where_it_says_until_it_is_interrupted(here: Path) -> None:
    with running(
        here, "--json", "--scenario", "empty", "--key", "mine", "--balance", "12.50", "--dialect", "modern",
        "--journal", "panel.jsonl", "--fault", "add=error_before_effect:1",
        "--rate-limit", "2", "--speed", "0",
    ) as process:  # fmt: skip
        told = document(process)
        balance = httpx.post(told["url"], data={"key": "mine", "action": "balance"})
        order = {"action": "add", "service": "1", "quantity": "100", "link": "https://e.example/a"}
        failed = httpx.post(told["url"], data={"key": "mine", **order})
        codes = [
            httpx.post(told["url"], data={"key": "mine", "action": "balance"}).status_code for _ in range(2)
        ]
    assert process.returncode == 0
    assert balance.json() == {"status": "success", "balance": 12.5, "currency": "USD"}
    assert failed.status_code == 500
    assert codes == [200, 429]
    assert (told["key"], told["journal"], told["scenario"]) == ("mine", "panel.jsonl", "empty")
    assert len(Journal.read(here / "panel.jsonl").requests("add")) == 1


def test_what_it_prints_for_a_configuration_can_be_loaded(here: Path) -> None:
    with running(here) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith("Ctrl-C"):
                break
    start = lines.index("panels:")
    snippet = "\n".join(lines[start : lines.index("", start) if "" in lines[start:] else start + 4])
    (here / "c.yaml").write_text(f"{snippet}\nrules: r.yaml\nledger: l.db\n")
    configuration = load_configuration(here / "c.yaml", {})
    [panel] = configuration.panels
    assert panel.url in lines[0]
    assert f"export {panel.key.env}=" in "\n".join(lines)
    assert panel.key.read({str(panel.key.env): "simulator-key-8f3a51c07d"}) in lines[0]


def test_the_snippet_is_made_of_what_the_configuration_knows() -> None:
    assert _SNIPPET.format(url="http://127.0.0.1:1/api/v2", variable="K").startswith("panels:\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--scenario", "nosuch"], "no scenario 'nosuch'"),
        (["--scenario", "steady:x"], "write steady:N"),
        (["--fault", "add"], "expected ACTION=FAULT:PROBABILITY"),
        (["--fault", "add=nosuch:1"], "no fault 'nosuch'"),
        (["--fault", "add=slow:2"], "probability is 0 to 1"),
        (["--host", "0.0.0.0"], "is not this machine"),
        (["--host", "panel.example"], "is not this machine"),
        (["--balance", "much"], "is no amount of money"),
        (["--rate-limit", "0"], "--rate-limit"),
        (["--dialect", "odd"], "--dialect"),
    ],
)
def test_wrong_use(here: Path, capsys: Capture, arguments: list[str], words: str) -> None:
    done = said(capsys, "simulate", *FREE, *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err


def test_a_port_that_is_taken(here: Path, capsys: Capture) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = said(capsys, "simulate", "--port", str(port))
    assert (done.code, done.out) == (1, "")
    assert f"can't run at 127.0.0.1:{port}: Address already in use" in done.err


def test_without_its_extra_it_says_what_to_install(here: Path) -> None:
    program = (
        "import sys; sys.modules['uvicorn'] = None; "
        "from smm_rules.cli.app import run; sys.exit(run(['simulate', '--port', '0']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=here
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install 'smm-rules[simulator]'" in done.stderr
    assert "Traceback" not in done.stderr
