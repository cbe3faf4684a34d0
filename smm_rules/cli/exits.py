"""Exit codes, and how an error becomes one. Documented in README.md."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the command's exit code says."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    LEDGER = 4
    PANEL = 5
    #: As a shell says of a program that SIGPIPE ended: what it wrote is not read any more.
    NO_READER = 141


class Stop(Exception):
    """End the command: an error for the user in a sentence, and the exit code that goes with it."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
