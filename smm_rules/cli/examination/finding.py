"""One thing looked at, how it is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` says what to do and is empty where nothing needs doing."""

    subject: str
    state: State
    found: str
    remedy: str = ""

    @property
    def is_fault(self) -> bool:
        """Whether the daemon can't do its work like that."""
        return self.state is State.PROBLEM


def ok(subject: str, found: str) -> Finding:
    return Finding(subject, State.OK, found)


def warning(subject: str, found: str, remedy: str) -> Finding:
    return Finding(subject, State.WARNING, found, remedy)


def problem(subject: str, found: str, remedy: str) -> Finding:
    return Finding(subject, State.PROBLEM, found, remedy)


def skipped(subject: str, found: str) -> Finding:
    return Finding(subject, State.SKIPPED, found)
