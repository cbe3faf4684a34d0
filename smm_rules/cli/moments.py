"""Moments as written on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from smm_rules.cli.exits import Exit, Stop
from smm_rules.facts import parse_duration

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def moment_before(text: str, now: datetime) -> datetime:
    """An instant as a date, a time, or how long before `now`; `Stop` says what it should look like."""
    try:
        if _DATE.match(text):
            at = datetime.fromisoformat(text)
            return at.replace(tzinfo=at.tzinfo or UTC)
        return now - parse_duration(text)
    except ValueError:
        what = (
            f'"{text}" is neither a duration such as 7d nor a time such as 2026-03-01 or 2026-03-01T12:00Z.'
        )
        raise Stop(what, Exit.USAGE) from None
