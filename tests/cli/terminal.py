"""A pseudoterminal with a command in it: what it shows, and keys for it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

BIN = Path(sys.executable).parent


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
