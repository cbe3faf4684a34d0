"""One read of a database, piece by piece, on the thread that has its connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from smm_rules.config.sql_source import SqlSourceSettings
from smm_rules.intake.lines import IntakeOptions, SourceRefused, Unacceptable
from smm_rules.intake.sql.database import Row, rows_since
from smm_rules.intake.sql.rows import Layout
from smm_rules.intake.sql.watermark import Value, Watermark, check_follows, load
from smm_rules.ledger.records import NewOrder
from smm_rules.ledger.sources import BadRow

#: How many rows one transaction of the ledger takes.
PIECE = 1_000


@dataclass(slots=True)
class Part:
    """The next rows. `watermark` says up to where everything has been read; `over` that there are no more."""

    rows: int = 0
    orders: list[NewOrder] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    watermark: Watermark | None = None
    ahead: Watermark | None = None
    over: bool = False


def begin(settings: SqlSourceSettings, kept: str) -> Value:
    """From where to read on; `SourceRefused` when what the ledger keeps is of another column or kind."""
    known = load(kept)
    if known is None:
        return settings.start
    kind = "number" if known.kind == "number" else "time"
    if known.column != settings.watermark or kind != settings.kind:
        raise SourceRefused(
            f"it was read by {known.column}, a {kind}, up to {known}, and is now to be read by "
            f"{settings.watermark}, a {settings.kind}",
            f"Read it anew, which does no harm: smm-rules orders source reset {settings.name}",
        )
    return known.back(settings.reaching_back, settings.time_zone)


class Reading:
    """One read. Rows with one watermark may be parted by two pieces: it counts once all of them are read."""

    def __init__(
        self, settings: SqlSourceSettings, password: str | None, since: Value, options: IntakeOptions
    ) -> None:
        self._settings = settings
        self._password = password
        self._since = since
        self._options = options
        self._stack = ExitStack()
        self._rows: Iterator[Row] = iter(())
        self._layout: Layout | None = None
        self._number = 0
        self._last: Watermark | None = None

    def open(self) -> None:
        """Ask the database. `SourceFailed` when it can't be read, `SourceRefused` for its columns."""
        columns, self._rows = self._stack.enter_context(
            rows_since(self._settings, self._password, self._since)
        )
        self._layout = Layout(self._settings, columns)

    def close(self) -> None:
        """Let go of the connection, wherever the read has come to."""
        self._stack.close()

    def next_part(self, size: int = PIECE) -> Part:
        """The next rows, as many as `size`."""
        part = Part()
        while part.rows < size:
            row = next(self._rows, None)
            if row is None:
                part.over = True
                part.watermark = self._last or part.watermark
                return part
            part.rows += 1
            self._take(row, part)
        return part

    def _take(self, row: Row, part: Part) -> None:
        assert self._layout is not None, "the read was opened"
        self._number += 1
        self._note_watermark(self._layout, row, part)
        try:
            part.orders.append(self._layout.order(row, self._options))
        except Unacceptable as problem:
            title = self._layout.title(row, self._options)
            part.bad.append(BadRow(title, problem.what, problem.to_do, self._options.now))

    def _note_watermark(self, layout: Layout, row: Row, part: Part) -> None:
        """Everything up to the one before has been read once another comes."""
        try:
            found = layout.watermark(row)
        except Unacceptable as problem:
            raise SourceRefused(f"row {self._number}: {problem.what}", problem.to_do) from None
        if (found.kind == "number") != (self._settings.kind == "number"):
            start = '"2025-03-01T00:00:00Z"' if found.kind != "number" else "0"
            raise SourceRefused(
                f"row {self._number}: the watermark {found.column} is {found}, which is a {found.kind}",
                f"Say where to begin in its own kind: start: {start}",
            )
        if self._last is not None and self._last != found:
            check_follows(self._last, found, self._number)
        if found.is_ahead(self._options.now):
            part.ahead = found
            return
        if self._last is not None and self._last != found:
            part.watermark = self._last
        self._last = found
