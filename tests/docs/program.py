"""A shell that runs a script, with or without a terminal; what it writes is gathered as it comes."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

#: Seconds that a block, or what it waits for, may take on a machine that is busy.
PATIENCE = 60.0


class Failed(AssertionError):
    """A block did something else than its page says."""


class Program:
    """A shell in a process group of its own."""

    def __init__(
        self, script: str, directory: Path, environment: Mapping[str, str], *, terminal: bool
    ) -> None:
        self._end, theirs = pty.openpty() if terminal else os.pipe()
        self._written = bytearray()
        self._ended = False
        self._change = threading.Condition()
        self._process = subprocess.Popen(
            # With a terminal, `setsid --ctty` makes it the one that passwords are asked at.
            # A shell that was started in the background hands on that interrupts are ignored.
            [
                *(("setsid", "--ctty", "--wait") if terminal else ()),
                *("env", "--default-signal=INT", "bash", "-c", script),
            ],
            cwd=directory,
            env={**environment, "TERM": "xterm" if terminal else "dumb"},
            stdin=theirs if terminal else subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=not terminal,
        )
        os.close(theirs)
        self._terminal = terminal
        threading.Thread(target=self._gather, daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether nobody is left who could write anything."""
        return self._ended

    @property
    def output(self) -> str:
        return self._written.decode("utf-8", "replace").replace("\r\n", "\n")

    def wait_for(self, pattern: str, after: int = 0) -> re.Match[str] | None:
        """Wait until it has written `pattern` behind the first `after` characters; else None."""

        def found() -> re.Match[str] | None:
            return re.compile(pattern).search(self.output, after)

        with self._change:
            self._change.wait_for(lambda: self._ended or found() is not None, PATIENCE)
            return found()

    def type(self, line: str) -> None:
        """Type a line at its terminal."""
        os.write(self._end, f"{line}\n".encode())

    def wait(self) -> int:
        """Wait for its end; its exit code."""
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.stop(signal.SIGKILL)
            raise Failed(f"it didn't end within {PATIENCE:.0f} s:\n{self.output}") from None
        with self._change:
            self._change.wait_for(lambda: self._ended, PATIENCE)
        return code

    def stop(self, number: int = signal.SIGINT) -> int:
        """Interrupt it and all that it started; its exit code."""
        if self._process.poll() is None:
            if self._terminal and number == signal.SIGINT:
                os.write(self._end, b"\x03")
            else:
                os.killpg(self._process.pid, number)
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise Failed(f"it went on after an interrupt:\n{self.output}") from None

    def _gather(self) -> None:
        """Read until nobody holds the other end any more."""
        while True:
            try:
                piece = os.read(self._end, 65_536)
            except OSError:  # a terminal says so like this
                piece = b""
            with self._change:
                self._written += piece
                self._ended = not piece
                self._change.notify_all()
            if not piece:
                os.close(self._end)
                return
