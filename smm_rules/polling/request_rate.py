"""How many requests each panel got in the last minute, told to who looks on in the heartbeat's detail."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

#: The entry of the heartbeat's detail.
REQUESTS = "requests"
_MINUTE = timedelta(minutes=1)


class RequestRate:
    """Works the last minute out from counts since the start, noted at each heartbeat."""

    def __init__(self) -> None:
        self._noted: deque[tuple[datetime, Mapping[str, int]]] = deque()

    def note(self, totals: Mapping[str, int], now: datetime) -> dict[str, int]:
        """The requests a minute by panel, given how many there were since the start.

        Over the time since the earliest note of the last minute, so at first over a shorter one.
        """
        while self._noted and (now - self._noted[0][0] > _MINUTE or self._noted[0][0] > now):
            self._noted.popleft()
        earliest = self._noted[0] if self._noted else None
        self._noted.append((now, dict(totals)))
        if earliest is None or now == earliest[0]:
            return {}
        share = _MINUTE / (now - earliest[0])
        return {panel: round((count - earliest[1].get(panel, 0)) * share) for panel, count in totals.items()}


def written(rates: Mapping[str, int]) -> dict[str, str]:
    """As an entry of a heartbeat's detail."""
    return {REQUESTS: json.dumps(dict(rates))} if rates else {}


def read_rates(detail: Mapping[str, str]) -> dict[str, int]:
    """Requests a minute by panel; nothing where it isn't known, or can't be read."""
    try:
        found = json.loads(detail.get(REQUESTS, "{}"))
        return {str(panel): int(rate) for panel, rate in dict(found).items()}
    except (TypeError, ValueError):
        return {}
