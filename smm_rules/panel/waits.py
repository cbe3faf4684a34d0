"""How long a panel asks to be left alone, as its headers say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: A panel that asks for longer is treated as asking for this.
LONGEST_WAIT = timedelta(days=1)
# A number this large counts seconds since 1970, not from now.
_EPOCH = 1_000_000_000
_ASKING = frozenset(
    {"retry-after", "ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset", "ratelimit"}
)
_SECONDS = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)
_RESET_MEMBER = re.compile(r"(?:^|[;,\s])(?:reset|t)=(\d{1,15})", re.ASCII)


def asked_wait(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The wait asked for by `Retry-After` or the `RateLimit` headers, None when they ask for none.

    `headers` are looked up in lower case. A date counts from the answer's own `Date` where it has one, so
    that a clock out of step doesn't matter.
    """
    if _ASKING.isdisjoint(headers):
        return None
    if (after := headers.get("retry-after")) is not None:
        wait = _seconds(after, now)
        if wait is None:
            wait = _until(after, headers.get("date"), now)
        if wait is not None:
            return wait
    for name in ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"):
        if (reset := headers.get(name)) is not None and (wait := _seconds(reset, now)) is not None:
            return wait
    member = _RESET_MEMBER.search(headers.get("ratelimit", ""))
    return _seconds(member[1], now) if member else None


def _seconds(written: str, now: datetime) -> timedelta | None:
    number = written.strip()
    if not _SECONDS.fullmatch(number):
        return None
    seconds = float(number)
    if seconds >= _EPOCH:
        seconds = max(0.0, seconds - now.timestamp())
    return min(timedelta(seconds=min(seconds, 1e9)), LONGEST_WAIT)


def _until(written: str, date: str | None, now: datetime) -> timedelta | None:
    instant = _instant(written)
    if instant is None:
        return None
    since = _instant(date) if date is not None else None
    return min(max(instant - (since or now), timedelta(0)), LONGEST_WAIT)


def _instant(written: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(written.strip())
    except (ValueError, IndexError, OverflowError):
        return None
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
