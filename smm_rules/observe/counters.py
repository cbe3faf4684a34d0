"""Counts of what happened since the daemon started, kept in the process."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from threading import Lock

#: More sets of labels than this under one name are counted together: a count must not eat the memory.
MOST_SERIES = 1000
OVERFLOW = (("overflow", "true"),)


@dataclass(frozen=True, slots=True, order=True)
class Count:
    """One count: how often `name` happened with these labels (name and value, sorted by name)."""

    name: str
    labels: tuple[tuple[str, str], ...]
    value: int


class Counters:
    """Counts by name and labels that only grow. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._series: dict[str, Counter[tuple[tuple[str, str], ...]]] = {}

    def increment(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add `amount` (not negative) to the count of `name` with these labels."""
        if amount < 0:
            raise ValueError(f"a count only grows; {name} was to change by {amount}")
        key = tuple(sorted((label, str(value)) for label, value in labels.items()))
        with self._lock:
            series = self._series.setdefault(name, Counter())
            if key not in series and len(series) >= MOST_SERIES:
                key = OVERFLOW
            series[key] += amount

    def value(self, name: str, **labels: str) -> int:
        """The sum of all counts of `name` whose labels include these."""
        wanted = {(label, str(value)) for label, value in labels.items()}
        with self._lock:
            series = self._series.get(name, Counter())
            return sum(amount for key, amount in series.items() if wanted <= set(key))

    def snapshot(self) -> tuple[Count, ...]:
        """All counts at this moment, sorted."""
        with self._lock:
            counts = [
                Count(name, labels, value)
                for name, series in self._series.items()
                for labels, value in series.items()
            ]
        return tuple(sorted(counts))
