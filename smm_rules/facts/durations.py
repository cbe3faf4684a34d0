"""Durations as people write them: `10m`, `1h30m`, `3d`, `2w`."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
PATTERN = re.compile(r"(?:\d+[smhdw])+", re.ASCII)
_PIECE = re.compile(r"(\d+)([smhdw])", re.ASCII)
#: Longer than any order lives; a longer duration is a slip of the keyboard.
LONGEST = timedelta(days=3660)


def parse_duration(text: str) -> timedelta:
    """The duration written in `text`; `ValueError` says what a duration looks like."""
    stripped = text.strip()
    if not PATTERN.fullmatch(stripped):
        raise ValueError(f'"{text}" is not a duration; write it like 30s, 10m, 1h30m, 3d or 2w')
    pieces = _PIECE.findall(stripped)
    units = [unit for _, unit in pieces]
    if len(set(units)) != len(units):
        raise ValueError(f'"{text}" names a unit twice; write it like 1h30m')
    seconds = sum(int(number) * UNITS[unit] for number, unit in pieces)
    if seconds > LONGEST.total_seconds():
        raise ValueError(f'"{text}" is longer than ten years')
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The shortest exact writing of `duration` to the second: `1h30m`, `0s`, `-5m`."""
    seconds = round(duration.total_seconds())
    if seconds < 0:
        return "-" + format_duration(-duration)
    parts = []
    for unit in ("w", "d", "h", "m", "s"):
        count, seconds = divmod(seconds, UNITS[unit])
        if count and not (unit == "w" and seconds):
            parts.append(f"{count}{unit}")
        elif count:
            seconds += count * UNITS[unit]
    return "".join(parts) or "0s"
