"""Taking a source of orders into the ledger, batch by batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Protocol

from smm_rules.intake.lines import BadLine, Line
from smm_rules.ledger.records import NewOrder
from smm_rules.observe import get_logger

log = get_logger(__name__)

#: How many orders one transaction takes.
BATCH = 5_000
#: How many bad lines a report keeps; all of them go to `on_bad`.
_KEPT = 1_000


class Tracker(Protocol):
    """What an import needs of the ledger."""

    async def track(self, orders: Sequence[NewOrder], now: datetime, by: str = "") -> int: ...


class Source(Iterable[Line], Protocol):
    """A source of lines that knows how far it is. `size` and `bytes_read` are in bytes."""

    size: int

    @property
    def bytes_read(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is: bytes read of all, orders added, orders already known, bad lines."""

    bytes_read: int
    size: int
    added: int
    known: int
    bad: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How an import ended. `bad_lines` holds the first thousand of `bad`."""

    added: int
    known: int
    bad: int
    bad_lines: tuple[BadLine, ...]

    @property
    def orders(self) -> int:
        """Orders read, new or not."""
        return self.added + self.known


def _ignore(_: object) -> None:
    """Nobody listens."""


async def import_orders(
    source: Source,
    ledger: Tracker,
    now: datetime,
    on_progress: Callable[[ImportProgress], None] = _ignore,
    on_bad: Callable[[Sequence[BadLine]], None] = _ignore,
    batch: int = BATCH,
    by: str = "",
) -> ImportReport:
    """Track every order of `source`; `SourceRefused` before anything is taken if it can't be read.

    Each batch is durable before the next is read, and a known order is left as it is: an import that was
    cut short may simply be run again. Files are read on a thread, so the daemon stays awake. `on_bad` runs
    on that thread, with the bad lines of each batch. `by` is who gave the orders.
    """
    report = ImportReport(0, 0, 0, ())
    lines = iter(source)
    while True:
        orders, bad_lines = await asyncio.to_thread(_next_batch, lines, batch, on_bad)
        if not orders and not bad_lines:
            return report
        added = await ledger.track(orders, now, by) if orders else 0
        report = ImportReport(
            report.added + added,
            report.known + len(orders) - added,
            report.bad + len(bad_lines),
            report.bad_lines + tuple(bad_lines[: _KEPT - len(report.bad_lines)]),
        )
        log.debug("intake.batch_tracked", added=added, known=len(orders) - added, bad=len(bad_lines))
        on_progress(ImportProgress(source.bytes_read, source.size, report.added, report.known, report.bad))


def _next_batch(
    lines: Iterator[Line], batch: int, on_bad: Callable[[Sequence[BadLine]], None]
) -> tuple[list[NewOrder], list[BadLine]]:
    orders: list[NewOrder] = []
    bad_lines: list[BadLine] = []
    for line in islice(lines, batch):
        if isinstance(line, BadLine):
            bad_lines.append(line)
        else:
            orders.append(line)
    if bad_lines:
        on_bad(bad_lines)
    return orders, bad_lines
