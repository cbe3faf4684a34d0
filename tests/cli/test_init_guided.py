"""`smm-rules init` at a terminal: it asks, tries the key, stores it for its owner, and checks its work."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from smm_rules.config import load_configuration
from smm_rules.simulator import DEFAULT_KEY, RunningSimulator
from tests.cli.command import said
from tests.cli.terminal import Terminal

Capture = pytest.CaptureFixture[str]
WIDE = (200, 50)


class Asked:
    """The command at a terminal, answered question by question; all that it showed."""

    def __init__(self, *arguments: str) -> None:
        self.terminal = Terminal(*WIDE, "init", *arguments)
        self.shown = b""

    def answer(self, question: str, answer: str) -> None:
        self.shown += self.terminal.until(question.encode())
        # A secret's prompt is written once it is no longer echoed.
        self.terminal.type(answer.encode() + b"\r")

    def rest(self, last: str) -> str:
        self.shown += self.terminal.until(last.encode())
        assert self.terminal.end() == 0
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.shown.decode()).replace("\r", "")


def files(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def test_from_nothing_to_a_checked_set_up(here: Path, capsys: Capture, smm_panel: RunningSimulator) -> None:
    asked = Asked()
    asked.answer("A name for the panel [main]", "north")
    asked.answer("The address of its API v2", smm_panel.url)
    asked.answer("Its API key", DEFAULT_KEY)
    asked.answer("Where should messages reach you", "")
    asked.answer("Begin in a dry run", "")
    shown = asked.rest("then put `mode: live`")
    assert DEFAULT_KEY not in shown
    assert re.search(r"^north +[0-9.]+ USD +[0-9]+ +[0-9]+ ms +ok *$", shown, re.MULTILINE)
    assert "stored secrets/north.key, which only you can read" in shown
    assert "$ smm-rules check\nok: 3 rules in 1 file\n" in shown
    assert "$ smm-rules test\nrules/first-rules_test.yaml: 4 passed\n" in shown
    key = here / "secrets" / "north.key"
    assert key.read_text(encoding="utf-8") == f"{DEFAULT_KEY}\n"
    assert (stat.S_IMODE(key.stat().st_mode), stat.S_IMODE(key.parent.stat().st_mode)) == (0o600, 0o700)
    configuration = load_configuration(here / "smm-rules.yaml", {})
    assert (configuration.mode, configuration.panels[0].name) == ("dry_run", "north")
    assert DEFAULT_KEY not in (here / "smm-rules.yaml").read_text(encoding="utf-8")
    assert said(capsys, "check", "--live").code == 0


def test_a_key_that_is_refused_can_be_given_anew(here: Path, smm_panel: RunningSimulator) -> None:
    asked = Asked("--panel-name", "north", "--panel-url", smm_panel.url)
    asked.answer("Its API key", "wrong-key-000")
    asked.answer("Another key, another address, or keep it as it is", "key")
    asked.answer("Its API key", DEFAULT_KEY)
    asked.answer("Where should messages reach you", "log")
    asked.answer("Begin in a dry run", "n")
    shown = asked.rest("3. smm-rules run")
    assert "wrong-key-000" not in shown
    assert (here / "secrets" / "north.key").read_text(encoding="utf-8") == f"{DEFAULT_KEY}\n"
    assert load_configuration(here / "smm-rules.yaml", {}).mode == "live"


def test_a_key_can_be_left_for_later_and_mail_be_the_channel(here: Path) -> None:
    asked = Asked("--panel-url", "https://panel.example/api/v2")
    asked.answer("A name for the panel", "two words")
    asked.answer("A name for the panel", "north-2")
    asked.answer("none: put it into $NORTH_2_PANEL_KEY later)", "")
    asked.answer("Where should messages reach you", "mail")
    asked.answer("The mail server", "mail.example")
    asked.answer("From", "ann@shop.example")
    asked.answer("To [ann@shop.example]", "")
    asked.answer("User name there", "ann")
    asked.answer("Password", "pass-word-7d1f")
    asked.answer("Begin in a dry run", "")
    shown = asked.rest("then put `mode: live`")
    assert "pass-word-7d1f" not in shown
    assert "smm-rules notify ops --test" in shown
    password = here / "secrets" / "ops.password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    channel = load_configuration(here / "smm-rules.yaml", {}).channels["ops"]
    assert channel.email is not None
    assert (channel.email.host, channel.email.to) == ("mail.example", ("ann@shop.example",))


def test_nothing_is_written_when_it_is_given_up(here: Path, smm_panel: RunningSimulator) -> None:
    asked = Asked("--panel-name", "north", "--panel-url", smm_panel.url)
    asked.answer("Its API key", DEFAULT_KEY)
    asked.terminal.until(b"[log]: ")
    asked.terminal.type(b"\x04")  # the end of the input, by a key that no signal is raced against
    asked.terminal.until(b"Interrupted.")
    assert asked.terminal.end() == 130
    assert files(here) == []


def test_a_credential_is_left_to_the_service(here: Path) -> None:
    asked = Asked("--panel-url", "https://panel.example/api/v2", "--key-credential", "the-key")
    asked.answer("A name for the panel", "north")
    asked.answer("Begin in a dry run", "")
    shown = asked.rest("systemctl restart smm-rules")
    assert "Its API key" not in shown
    assert "put `mode: dry_run`" not in shown
    configuration = load_configuration(here / "smm-rules.yaml", {})
    assert (configuration.panels[0].key.credential, configuration.mode) == ("the-key", "dry_run")
