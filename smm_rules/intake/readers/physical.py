"""Physical lines of a file as text, bounded, decoded one by one so that a bad one spoils no other."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from smm_rules.intake.lines import LONGEST_LINE, BadLine, SourceRefused

_SHOWN = 2_000
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def physical_lines(file: BinaryIO, longest: int = LONGEST_LINE) -> Iterator[tuple[int, str] | BadLine]:
    """Every line with its number from 1, its ending cut off; what is too long or not UTF-8 as a BadLine.

    A file in UTF-16 is refused as a whole.
    """
    number = 0
    while raw := file.readline(longest + 1):
        number += 1
        if number == 1:
            raw = _without_mark(raw)
        if len(raw) > longest and not raw.endswith(b"\n"):
            _skip_rest_of_line(file, longest)
            yield BadLine(number, f"the line is longer than {longest} bytes", "Split it", _start_of(raw))
            continue
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            where = f"byte {error.start + 1} is not UTF-8"
            yield BadLine(number, where, "Save the file as UTF-8", _start_of(raw))
            continue
        yield number, text.removesuffix("\n").removesuffix("\r")


def _without_mark(raw: bytes) -> bytes:
    if raw.startswith(_WIDE):
        raise SourceRefused("the file is in UTF-16", "Save it as UTF-8")
    return raw.removeprefix(codecs.BOM_UTF8)


def _skip_rest_of_line(file: BinaryIO, chunk: int) -> None:
    while (rest := file.readline(chunk)) and not rest.endswith(b"\n"):
        pass


def _start_of(raw: bytes) -> str:
    return raw[:_SHOWN].decode("utf-8", errors="backslashreplace").rstrip("\r\n")
