"""How often a login may be tried."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

#: So many wrong passwords within the time, from one address and from all together.
MOST_FAILURES, MOST_FAILURES_OF_ALL = 5, 50
WITHIN = timedelta(minutes=15)
_MOST_CLIENTS = 1_000
_EVERYBODY = ""


class Throttle:
    """Counts wrong passwords by address. Whoever had too many waits until the oldest is long enough ago."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, list[datetime]] = OrderedDict()

    def wait(self, client: str, now: datetime) -> timedelta:
        """How long this address has to wait before its next try; zero when it may try now."""
        return max(self._wait(client, MOST_FAILURES, now), self._wait(_EVERYBODY, MOST_FAILURES_OF_ALL, now))

    def failed(self, client: str, now: datetime) -> None:
        """A wrong password came from this address."""
        for key in (client, _EVERYBODY):
            self._failures.setdefault(key, []).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > _MOST_CLIENTS:
            self._failures.popitem(last=False)

    def succeeded(self, client: str) -> None:
        """The right password came from this address: its slips count no more."""
        self._failures.pop(client, None)

    def _wait(self, key: str, most: int, now: datetime) -> timedelta:
        recent = [at for at in self._failures.get(key, ()) if now - WITHIN < at <= now]
        if key in self._failures:
            self._failures[key] = recent
        if len(recent) < most:
            return timedelta()
        return recent[-most] + WITHIN - now
