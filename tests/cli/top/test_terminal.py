"""`smm-rules top` in a real terminal: drawn, drawn anew when it is resized, and left as it was found."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from smm_rules.ledger.records import IntentState
from tests.cli.command import configure
from tests.cli.stage import a_failing_panel_with_money, intent, stage

BIN = Path(sys.executable).parent
#: The end of every frame.
KEYS = b"r looks again"
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """A pseudoterminal with the command in it."""

    def __init__(self, columns: int, rows: int, *arguments: str) -> None:
        self.main, inner = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self.main)
        self.seen = b""
        environment = {name: text for name, text in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [str(BIN / "smm-rules"), *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            env={**environment, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(inner)  # the command's alone: reading ends with it

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, what: bytes) -> bytes:
        """Everything that is written up to `what`."""
        while what not in self.seen:
            piece = os.read(self.main, 65536)
            assert piece, self.seen
            self.seen += piece
        before, _, self.seen = self.seen.partition(what)
        return before + what

    def type(self, keys: bytes) -> None:
        os.write(self.main, keys)

    def end(self) -> int:
        code = self.process.wait()
        assert termios.tcgetattr(self.main) == self.before
        os.close(self.main)
        return code


def plain(screen: bytes) -> list[str]:
    """The lines of a screen without what moves and colours."""
    frame = screen.rpartition(b"\x1b[H")[2]
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", frame.decode())
    return [line.rstrip() for line in text.replace("\r", "").split("\n")]


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
