"""What lies beside a file that was taken from the drop folder: its report and its bad lines."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from smm_rules.intake.lines import BadLine


class BadLines:
    """A file of bad lines, made when the first one comes: the reason as a `#` line, then the line's text."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None
        path.unlink(missing_ok=True)  # our own, left by a crash: the reading begins anew

    def add(self, lines: Sequence[BadLine]) -> None:
        """Write lines down."""
        if self._file is None:
            self._file = _private(self._path)
        for line in lines:
            self._file.write(f"# {line}\n{line.raw}\n" if line.raw else f"# {line}\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


def write_report(path: Path, name: str, now: datetime, outcome: Mapping[str, str | int]) -> None:
    """Write the report whole or not at all."""
    text = json.dumps({"file": name, "at": now.isoformat(), **outcome}, ensure_ascii=False, indent=2)
    unfinished = path.with_name(f".{path.name}.part")
    with _private(unfinished) as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _private(path: Path) -> TextIO:
    """A new file for its owner alone (0600): lines of orders hold links and comments of customers."""
    path.unlink(missing_ok=True)
    return open(path, "x", encoding="utf-8", errors="backslashreplace", opener=_owners)


def _owners(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
