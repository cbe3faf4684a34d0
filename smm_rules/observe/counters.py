"""Counts of what happened since the daemon started, and levels of what is now, kept in the process."""

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
    """Counts by name and labels that only grow, and levels that don't. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._levels: dict[str, dict[tuple[tuple[str, str], ...], int]] = {}
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

    def level(self, name: str, value: int, **labels: str) -> None:
        """Note how high `name` with these labels is now; a further series beyond the most is not kept."""
        key = tuple(sorted((label, str(each)) for label, each in labels.items()))
        with self._lock:
            series = self._levels.setdefault(name, {})
            if key in series or len(series) < MOST_SERIES:
                series[key] = value

    def levels(self) -> tuple[Count, ...]:
        """All levels as they were noted last, sorted."""
        with self._lock:
            noted = [
                Count(name, labels, value)
                for name, series in self._levels.items()
                for labels, value in series.items()
            ]
        return tuple(sorted(noted))

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
