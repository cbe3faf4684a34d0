"""Databases of orders that are read again and again, as the ledger remembers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smm_rules.ledger.records import NewOrder

#: How many bad rows of one source are kept.
BAD_ROWS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no order: the `name` it is told apart by, what is wrong, what to do, when that was."""

    name: str
    what: str
    to_do: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SourceStanding:
    """How far a source has been read. `watermark` is the reader's own text, empty before the first read.

    `generation` goes up when somebody sets the watermark back. `added` counts the orders that were new,
    `bad` the rows kept that were none. `read_at` is the end of the last whole read, `due_at` the time of the
    next; `failures` are those in a row since `failing_since`, with the last `error`.
    """

    name: str
    watermark: str
    generation: int
    added: int
    bad: int
    read_at: datetime | None
    due_at: datetime
    failures: int
    failing_since: datetime | None
    error: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one read, taken whole or not at all.

    `watermark` says up to where everything has been read, None where that has not moved. `next_at` ends the
    read and says when the next is due.
    """

    orders: Sequence[NewOrder]
    bad: Sequence[BadRow]
    watermark: str | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a piece: how many orders were new, and which bad rows nobody had been told of."""

    added: int
    news: tuple[BadRow, ...]
