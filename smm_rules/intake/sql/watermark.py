"""How far a database has been read: a time, a number, or a time that the database keeps as text.

It is compared by the database alone, so it is handed back just as it came: a text in the same writing, a time
with or without a zone.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from smm_rules.intake.lines import SourceRefused, Unacceptable, shown

#: A stamp later than this from now on is a mistake: reading on from it would pass over all that comes.
LATEST_AHEAD = timedelta(days=1)
_WRITTEN = re.compile(
    r"\d{4}-\d\d-\d\d([ T])\d\d:\d\d:\d\d(?:\.(\d{1,6}))?(Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_EARLIEST = datetime(1, 1, 1)  # noqa: DTZ001 - the least that can be counted back to

Value = datetime | int | str


@dataclass(frozen=True, slots=True)
class Watermark:
    """A value of the watermark's `column`."""

    column: str
    value: Value

    @property
    def kind(self) -> str:
        """`number`, `time`, or `text` for a time as text."""
        if isinstance(self.value, int):
            return "number"
        return "text" if isinstance(self.value, str) else "time"

    def back(self, overlap: timedelta | int, zone: ZoneInfo | None = None) -> Value:
        """The value from which to read on, so much before this one.

        Around the hour at which clocks in `zone` are set back, times without a zone come a second time: then
        that much is read again, too.
        """
        if isinstance(self.value, int):
            return self.value - (overlap if isinstance(overlap, int) else 0)
        span = overlap if isinstance(overlap, timedelta) else timedelta(0)
        moment = self.value if isinstance(self.value, datetime) else _parsed(self.value)
        if zone is not None and moment.tzinfo is None:
            span += _set_back(moment, zone)
        if isinstance(self.value, datetime):
            return _less(self.value, span)
        return _rewritten(self.value, span)

    def is_ahead(self, now: datetime) -> bool:
        """Whether this is a time that hasn't come yet, whatever its zone."""
        if isinstance(self.value, int):
            return False
        moment = self.value if isinstance(self.value, datetime) else _parsed(self.value)
        zoned = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return zoned > now + LATEST_AHEAD

    def dump(self) -> str:
        """As the ledger keeps it."""
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        return json.dumps({"column": self.column, self.kind: value})

    def __str__(self) -> str:
        return self.value.isoformat(sep=" ") if isinstance(self.value, datetime) else str(self.value)


def load(text: str) -> Watermark | None:
    """What `dump` wrote; None for the empty text of a source that was never read."""
    if not text:
        return None
    kept = json.loads(text)
    column = kept.pop("column")
    [(kind, value)] = kept.items()
    return Watermark(column, datetime.fromisoformat(value) if kind == "time" else value)


def watermark_of(column: str, found: object) -> Watermark:
    """The watermark in a row; `Unacceptable` for what can't be one."""
    if isinstance(found, Decimal) and found == found.to_integral_value():
        found = int(found)
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day)  # noqa: DTZ001 - as the database has it
    if isinstance(found, bool) or not isinstance(found, datetime | int | str):
        told = "is empty" if found is None else f"is {shown(str(found))}"
        raise Unacceptable(f'the watermark "{column}" {told}', "It must be a time or a whole number")
    if isinstance(found, str):
        _parsed(found)
    return Watermark(column, found)


def check_follows(before: Watermark, after: Watermark, number: int) -> None:
    """`SourceRefused` unless the rows come in the order of the watermark."""
    try:
        in_order = before.value <= after.value  # type: ignore[operator]  # told below where they can't be
    except TypeError:
        in_order = False
    if not in_order:
        raise SourceRefused(
            f"row {number}: {after.column} is {shown(str(after))} after {shown(str(before))}, "
            "so rows don't come in its order",
            f"See that the query's ORDER BY {after.column} is about the column it gives under that name",
        )


def _set_back(moment: datetime, zone: ZoneInfo) -> timedelta:
    """By how much clocks are set back in the hours around a moment of theirs."""
    around = timedelta(hours=3)
    before, after = (_less(moment, span).replace(tzinfo=zone).utcoffset() for span in (around, -around))
    return max((before or timedelta(0)) - (after or timedelta(0)), timedelta(0))


def _less(moment: datetime, span: timedelta) -> datetime:
    try:
        return moment - span
    except OverflowError:
        return _EARLIEST.replace(tzinfo=moment.tzinfo)


def _parsed(text: str) -> datetime:
    found = _WRITTEN.fullmatch(text)
    try:
        moment = datetime.fromisoformat(text) if found is not None else None
    except ValueError:
        moment = None
    if moment is None:
        raise Unacceptable(
            f"the watermark {shown(text)} is no time",
            "As text it must be written like 2025-03-01 14:30:00 in every row; a number must be one",
        )
    return moment


def _rewritten(text: str, span: timedelta) -> str:
    """The time so much before, in the same writing: the database compares letter by letter."""
    found = _WRITTEN.fullmatch(text)
    assert found is not None, "it was checked when it was read"
    separator, fraction, zone = found[1], found[2] or "", found[3] or ""
    earlier = _less(_parsed(text), span)
    whole = earlier.strftime(f"%Y-%m-%d{separator}%H:%M:%S").rjust(19, "0")
    digits = f".{earlier.microsecond:06d}"[: len(fraction) + 1] if fraction else ""
    return f"{whole}{digits}{zone}"
