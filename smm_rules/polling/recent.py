"""What rules asked a panel for in the last round of looks."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from smm_rules.engine.firing import Firing, Occasion


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
