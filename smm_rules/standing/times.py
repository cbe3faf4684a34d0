"""Instants as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from smm_rules.facts import format_duration


def moment(at: datetime | None, absent: str = "") -> str:
    """An instant to the second, UTC; `absent` where there is none."""
    return absent if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def ago(at: datetime, now: datetime) -> str:
    """How long ago `at` was, roughly: `3m`, `2h`, `5d`."""
    seconds = max(int((now - at).total_seconds()), 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def until(at: datetime, now: datetime) -> str:
    """When `at` will be: `now`, or `in 4m30s`."""
    return "now" if at <= now else f"in {format_duration(at - now)}"
