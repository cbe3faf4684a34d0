"""What rules asked a panel for in the last round of looks."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from smm_rules.engine.firing import Firing, Occasion
from smm_rules.facts import EntityKind


class Recent(Protocol):
    """How often rules fired on one panel of late, wherever that is kept."""

    async def counts(self, kind: EntityKind, now: datetime, round_: timedelta) -> Mapping[str, int]:
        """How often each rule that acts fired for things of `kind` within `round_` before `now`."""
        ...

    def note(self, kind: EntityKind, firings: Iterable[Firing], now: datetime) -> None:
        """Firings that were recorded, less those that a guard stopped."""
        ...


@dataclass(slots=True)
class RecentFirings:
    """Firings that act, of one panel and kind of thing, by rule.

    Orders come due one after the other, so a round of looks is many small sweeps: a limit that each of them
    kept by itself would be none over all of them.
    """

    _fired: deque[tuple[datetime, str]] = field(default_factory=deque)

    def counts(self, now: datetime, round_: timedelta) -> Mapping[str, int]:
        """How often each rule fired within `round_` before `now`."""
        while self._fired and now - self._fired[0][0] >= round_:
            self._fired.popleft()
        return Counter(rule for _, rule in self._fired)

    def note(self, firings: Iterable[Firing], now: datetime) -> None:
        """Remember firings that were let through, held ones too."""
        acting = (firing for firing in firings if firing.occasion is Occasion.FIRED and firing.acts)
        self._fired.extend((now, firing.rule) for firing in acting)


class RecentInMemory:
    """The firings of one process, which is all there are where one daemon watches the panel alone."""

    def __init__(self) -> None:
        self._by_kind: defaultdict[EntityKind, RecentFirings] = defaultdict(RecentFirings)

    async def counts(self, kind: EntityKind, now: datetime, round_: timedelta) -> Mapping[str, int]:
        return self._by_kind[kind].counts(now, round_)

    def note(self, kind: EntityKind, firings: Iterable[Firing], now: datetime) -> None:
        self._by_kind[kind].note(firings, now)
