"""What comes out of a source of orders, line by line, and how a whole source can be refused."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from smm_rules.ledger.records import NewOrder

#: The longest line or entry that is read, in characters. The comments of one order may well take 100 KB.
LONGEST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line or entry that is no order: where, what is wrong, what to do. `raw` is its text, maybe cut."""

    line: int
    what: str
    to_do: str = ""
    raw: str = ""

    def __str__(self) -> str:
        text = f"line {self.line}: {self.what}"
        return f"{text}. {self.to_do}" if self.to_do else text


#: What a reader yields.
Line = NewOrder | BadLine


class Unacceptable(ValueError):
    """A value, a column or a whole source can't be used: what is wrong and what to do about it."""

    def __init__(self, what: str, to_do: str = "") -> None:
        super().__init__(f"{what}. {to_do}" if to_do else what)
        self.what = what
        self.to_do = to_do


class SourceRefused(Unacceptable):
    """A source can't be read at all: nothing of it was taken."""


@dataclass(frozen=True, slots=True)
class IntakeOptions:
    """What a source leaves unsaid.

    `now` bounds dates: an order can't have been placed tomorrow. `default_panel` stands in where a line
    names no panel; `panels` are the configured ones. `time_zone` is for times written without one.
    `ignored` are columns to pass over on top of the usual ones.
    """

    now: datetime
    panels: Collection[str]
    default_panel: str | None = None
    time_zone: ZoneInfo | None = None
    ignored: frozenset[str] = field(default_factory=frozenset)


def shown(text: str) -> str:
    """A value in a message: quoted, short, harmless to a terminal."""
    return ascii(text if len(text) <= 60 else text[:57] + "...")
