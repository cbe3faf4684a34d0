"""Where log lines come from: the journal, files that may still grow, and standard input."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.logs.line import Line, read_line

#: A longer line is read in pieces: no log of the daemon's has one.
LONGEST_LINE = 1024 * 1024
#: How long to wait, in seconds, before a file is looked at again.
_LOOK_AGAIN = 0.25

Wait = Callable[[], None]


def wait_a_little() -> None:
    """Let time pass until a file may have grown."""
    time.sleep(_LOOK_AGAIN)


def lines_of(stream: IO[bytes]) -> Iterator[Line]:
    """Each line of a stream, as it comes."""
    while piece := stream.readline(LONGEST_LINE):
        yield _line(piece)


def lines_of_file(path: Path) -> Iterator[Line]:
    """Each line of a file as it is now; `Stop` when it can't be read."""
    with _opened(path) as file:
        yield from lines_of(file)


def follow_file(path: Path, wait: Wait) -> Iterator[Line | None]:
    """Each line of a file, then None once, then the lines that are added, until the reader has enough.

    A file that is cut short is read from its start, and so is one that took its place, as rotation does.
    """
    file = _opened(path)
    unfinished, caught_up = b"", False
    try:
        while True:
            piece = file.readline(LONGEST_LINE)
            if piece:
                unfinished += piece
                if unfinished.endswith(b"\n") or len(unfinished) >= LONGEST_LINE:
                    yield _line(unfinished)
                    unfinished = b""
                continue
            if not caught_up:
                caught_up = True
                yield None
            if _replaced(path, file):
                if unfinished:
                    yield _line(unfinished)
                    unfinished = b""
                file.close()
                file = _opened(path)
                continue
            wait()
    finally:
        file.close()


def _replaced(path: Path, file: IO[bytes]) -> bool:
    """Whether the path names another file by now, or this one was cut short."""
    try:
        now = path.stat()
    except OSError:
        return False  # rotation has taken it away and not made the next one yet
    here = os.fstat(file.fileno())
    return (now.st_dev, now.st_ino) != (here.st_dev, here.st_ino) or here.st_size < file.tell()


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError as error:
        raise Stop(f"{path} can't be read: {error.strerror}.", Exit.USAGE) from None


def _line(piece: bytes) -> Line:
    return read_line(piece.decode("utf-8", "backslashreplace"))


class Journal:
    """What systemd keeps of a unit, read by `journalctl`."""

    def __init__(self, unit: str, since: datetime | None) -> None:
        self._command = self._found()
        self._unit = unit
        self._since = since

    def lines(self) -> Iterator[Line]:
        """Each line that is there now."""
        yield from self._run()

    def follow(self, after: str) -> Iterator[Line]:
        """The lines added after that cursor, or from now on when it is empty, until the reader has enough."""
        yield from self._run("--follow", "--lines=all" if after else "--lines=0", after=after)

    def _run(self, *options: str, after: str = "") -> Iterator[Line]:
        asked = [self._command, "--output=json", "--all", "--no-pager", f"--unit={self._unit}", *options]
        if after:
            asked.append(f"--after-cursor={after}")
        elif self._since is not None and not options:
            asked.append(f"--since=@{int(self._since.timestamp())}")
        # What it complains of goes to a file: a pipe that nobody reads meanwhile could fill up and block it.
        with (
            tempfile.TemporaryFile() as complaints,
            subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=complaints) as process,  # noqa: S603 - no shell
        ):
            assert process.stdout is not None
            try:
                yield from lines_of(process.stdout)
                code = process.wait()
            finally:
                process.terminate()
            if code:
                complaints.seek(0)
                told = complaints.read().decode("utf-8", "replace").strip()
                raise Stop(f"journalctl can't tell of {self._unit}: {told or 'it gave no reason'}.")

    def _found(self) -> str:
        found = shutil.which("journalctl")
        if found is None:
            raise Stop(
                "There is no journalctl here. Name the files of the log, or - for standard input: "
                "smm-rules logs FILE …",
                Exit.USAGE,
            )
        return found
