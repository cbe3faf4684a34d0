"""CSV: a header with column names, then one order a record; `,` `;` or tab between values.

A quoted value may hold line breaks. A quote that is never closed costs its own line only: reading goes on
with the next one.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import BinaryIO, TypeVar

from smm_rules.intake.columns import columns
from smm_rules.intake.lines import LONGEST_LINE, BadLine, IntakeOptions, Line, SourceRefused, Unacceptable
from smm_rules.intake.readers.physical import physical_lines
from smm_rules.intake.values import order_from

_DELIMITERS = (",", ";", "\t")
_LINES_IN_A_RECORD = 20_000
#: Lines that may be looked at in vain for each line read, so that a file full of stray quotes takes a time
#: that grows with its length alone; and how far is always looked.
_IN_VAIN, _LEAST_REACH = 10, 50
_SHOWN = 2_000


Names = Callable[[list[str]], list[str | None]]
Values = Mapping[str, str]
Made = TypeVar("Made")


def read_separated(file: BinaryIO, options: IntakeOptions) -> Iterator[Line]:
    """The orders of a CSV file. `SourceRefused` when its header can't be used."""
    names, made = partial(columns, ignored=options.ignored), partial(order_from, options=options)
    for found in read_records(file, names, made):
        yield found if isinstance(found, BadLine) else found[1]


def read_records(
    file: BinaryIO, names_of: Names, made_of: Callable[[Values], Made]
) -> Iterator[tuple[int, Made] | BadLine]:
    """Each record of a CSV file as what `made_of` makes of its values by name, with the number of its line.

    `names_of` gives the names of the header's columns, None for one to pass over. Both raise `Unacceptable`
    for what they can't use. `SourceRefused` when the header can't be used.
    """
    records = _Records(file)
    header = records.next_record()
    if header is None:
        raise SourceRefused("the file is empty", "Its first line names the columns, like order,service,link")
    if isinstance(header, BadLine):
        raise SourceRefused(f"the header can't be read: {header.what}", header.to_do)
    delimiter = max(_DELIMITERS, key=header[1].count)
    records.delimiter = delimiter
    try:
        names = names_of(_split(header[1], delimiter))
    except Unacceptable as problem:
        raise SourceRefused(f"the header (line {header[0]}): {problem.what}", problem.to_do) from None
    records.width = len(names)
    while (record := records.next_record()) is not None:
        yield record if isinstance(record, BadLine) else _made(record, names, delimiter, made_of)


def _made(
    record: tuple[int, str], names: list[str | None], delimiter: str, made_of: Callable[[Values], Made]
) -> tuple[int, Made] | BadLine:
    number, text = record
    try:
        values = _split(text, delimiter)
        if len(values) > len(names) and any(value.strip() for value in values[len(names) :]):
            raise Unacceptable(
                f"{len(values)} values for {len(names)} columns",
                f'Quote values that hold "{delimiter}"',
            )
        return number, made_of({name: value for name, value in zip(names, values, strict=False) if name})
    except Unacceptable as problem:
        return BadLine(number, problem.what, problem.to_do, text[:_SHOWN])


def _split(text: str, delimiter: str) -> list[str]:
    """The values of one record."""
    try:
        return next(csv.reader((text,), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise Unacceptable(f"the line isn't well-formed CSV ({error})", "Check its quotes") from None


class _Records:
    """Records put together from physical lines, blank ones left out."""

    def __init__(self, file: BinaryIO) -> None:
        self.delimiter = ""
        self.width = 0
        self._lines = physical_lines(file)
        self._put_back: deque[tuple[int, str] | BadLine] = deque()
        self._patience = _LINES_IN_A_RECORD

    def next_record(self) -> tuple[int, str] | BadLine | None:
        """The next record with the number of its first line; None at the end."""
        while (line := self._next_line()) is not None:
            if isinstance(line, BadLine):
                return line
            if not line[1].strip(" \t,;"):
                continue
            if '"' not in line[1] or not self._open_after(line[1], within=False):
                return line
            return self._continued(line)
        return None

    def _next_line(self) -> tuple[int, str] | BadLine | None:
        if self._put_back:
            return self._put_back.popleft()
        self._patience += _IN_VAIN
        return next(self._lines, None)

    def _continued(self, first: tuple[int, str]) -> tuple[int, str] | BadLine:
        """The record that `first` opens; where no end is found `first` alone is bad, the rest goes back."""
        taken: list[tuple[int, str] | BadLine] = []
        pieces, size = [first[1]], len(first[1])
        reach = min(_LINES_IN_A_RECORD, max(_LEAST_REACH, self._patience))
        while len(taken) < reach and (line := self._next_line()) is not None:
            taken.append(line)
            if isinstance(line, BadLine):
                break
            pieces.append(line[1])
            size += len(line[1]) + 1
            if size > LONGEST_LINE:
                break
            if not self._open_after(line[1], within=True):
                record = "\n".join(pieces)
                if self._sound(record):
                    return first[0], record
                break
        self._patience -= len(taken)
        self._put_back.extendleft(reversed(taken))
        what = "a quoted value is opened and never closed"
        return BadLine(first[0], what, 'Close it, or write a lone " as """"', first[1][:_SHOWN])

    def _sound(self, record: str) -> bool:
        """Whether what was put together is one record, not the lines between two stray quotes."""
        if not self.width:
            return True
        try:
            return len(_split(record, self.delimiter)) == self.width
        except Unacceptable:
            return False

    def _open_after(self, text: str, *, within: bool) -> bool:
        """Whether a quoted value is still open at the end of `text`; `within` says it was at the start."""
        delimiters = self.delimiter or "".join(_DELIMITERS)
        position = 0
        while True:
            if within:
                position = text.find('"', position)
                if position < 0:
                    return True
                if text[position + 1 : position + 2] == '"':
                    position += 2
                    continue
                within = False
                position += 1
            else:
                position = text.find('"', position)
                if position < 0:
                    return False
                within = position == 0 or text[position - 1] in delimiters
                position += 1
