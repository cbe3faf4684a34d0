"""Everything that happened in a simulation, as one hash: equal hashes are equal runs."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TextIO


@dataclass
class Trace:
    """The hash of all that was noted, how often each kind of thing was, and the last of it."""

    counts: Counter[str] = field(default_factory=Counter)
    last: list[str] = field(default_factory=list)
    keep: int = 400
    file: TextIO | None = None
    _hash: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    def note(self, seconds: float, kind: str, *what: object) -> None:
        self.counts[kind] += 1
        line = f"{seconds:.6f} {kind} {' '.join(map(str, what))}"
        self._hash.update(line.encode())
        self._hash.update(b"\n")
        if self.file is not None:
            print(line, file=self.file)
        self.last.append(line)
        if len(self.last) > 2 * self.keep:
            del self.last[: self.keep]

    @property
    def digest(self) -> str:
        return str(self._hash.hexdigest())
