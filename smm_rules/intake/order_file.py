"""A file of orders: which reader it needs, and how far it has been read."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from smm_rules.document.problem import did_you_mean
from smm_rules.intake.lines import IntakeOptions, Line, SourceRefused
from smm_rules.intake.readers import read_json_lines, read_separated, read_yaml_list


class Format(StrEnum):
    """What a file of orders is written in."""

    CSV = "csv"
    JSON_LINES = "jsonl"
    YAML = "yaml"


_READERS: dict[Format, Callable[[BinaryIO, IntakeOptions], Iterator[Line]]] = {
    Format.CSV: read_separated,
    Format.JSON_LINES: read_json_lines,
    Format.YAML: read_yaml_list,
}
SUFFIXES = {
    ".csv": Format.CSV,
    ".tsv": Format.CSV,
    ".jsonl": Format.JSON_LINES,
    ".ndjson": Format.JSON_LINES,
    ".yaml": Format.YAML,
    ".yml": Format.YAML,
}


def format_of(path: Path) -> Format:
    """The format that a file's name says; `SourceRefused` when it says none."""
    known = SUFFIXES.get(path.suffix.casefold())
    if known is None:
        to_do = did_you_mean(path.suffix, SUFFIXES) or f"Name it with one of {', '.join(SUFFIXES)}"
        raise SourceRefused(f'the ending "{path.suffix}" says no known format', to_do)
    return known


class OrderFile:
    """The lines of one file, streamed. `SourceRefused` when it isn't a readable regular file.

    Iterating yields `NewOrder` and `BadLine`. `size` and `bytes_read` (of what the reader took in so far)
    are for showing progress.
    """

    def __init__(
        self, path: Path, options: IntakeOptions, format: Format | None = None, *, follow_links: bool = True
    ) -> None:
        self.path = path
        self._options = options
        self._format = format or format_of(path)
        self._file = _open(path, follow_links=follow_links)
        self.size = os.fstat(self._file.fileno()).st_size

    @property
    def bytes_read(self) -> int:
        return self._file.tell()

    def __iter__(self) -> Iterator[Line]:
        return _READERS[self._format](self._file, self._options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()


def _open(path: Path, *, follow_links: bool) -> BinaryIO:
    """Open without waiting on a pipe, and without following a link unless asked to."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow_links else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise SourceRefused(f"it can't be opened: {error.strerror}", "Check its name and its mode") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceRefused("it is not a regular file", "Give a file of orders")
    return os.fdopen(descriptor, "rb", buffering=1 << 16)
