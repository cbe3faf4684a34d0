"""`smm-rules top` in a real terminal: drawn, drawn anew when it is resized, and left as it was found."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from smm_rules.ledger.records import IntentState
from tests.cli.command import configure
from tests.cli.stage import a_failing_panel_with_money, intent, stage
from tests.cli.terminal import Terminal, plain

#: The end of every frame.
KEYS = b"r looks again"
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


@pytest.fixture
def ledger(here: Path) -> Path:
    configure(here)
    stage(here / "ledger.db", a_failing_panel_with_money, intent(IntentState.UNKNOWN))
    return here


@pytest.mark.usefixtures("ledger")
def test_it_draws_follows_the_size_and_quits_on_q() -> None:
    terminal = Terminal(100, 24, "top", "--every", "600")
    terminal.until(ENTER)
    wide = plain(terminal.until(KEYS))
    assert [line for line in wide if line.startswith("  IN DOUBT 1 refill order/north/1 by top-up")]
    terminal.resize(40, 12)
    os.kill(terminal.process.pid, signal.SIGWINCH)
    narrow = plain(terminal.until(KEYS))
    assert max(map(len, narrow)) <= 40
    assert [line for line in narrow if line.endswith("…")]
    terminal.type(b"r")
    terminal.until(KEYS)
    terminal.type(b"q")
    terminal.until(LEAVE)
    assert terminal.end() == 0


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_the_terminal_as_it_was(number: signal.Signals) -> None:
    terminal = Terminal(80, 24, "top")
    terminal.until(KEYS)
    os.kill(terminal.process.pid, number)
    terminal.until(LEAVE)
    assert terminal.end() == 0
