"""The daily statement: to which channel, and at which time of day of which zone."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from smm_rules.document.types import Settings, Slug, refuse, written

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


def _time_of_day(value: Any) -> time:
    if isinstance(value, time):
        return value
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        refuse(f'must be a time of day like "08:00", not {written(value)}')
    return time(int(found[1]), int(found[2]))


def _zone(value: Any) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (LookupError, ValueError, OSError):
        refuse(f"must be a time zone like Europe/Berlin or UTC, not {written(value)}")


#: `08:00`.
TimeOfDay = Annotated[
    time,
    BeforeValidator(_time_of_day),
    WithJsonSchema({"type": "string", "pattern": r"^([01]?\d|2[0-3]):[0-5]\d$", "examples": ["08:00"]}),
]
#: `Europe/Berlin`.
TimeZone = Annotated[
    ZoneInfo,
    BeforeValidator(_zone),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "minLength": 1, "examples": ["Europe/Berlin", "UTC"]}),
]


class StatementSettings(Settings):
    """Each day at `at` the daemon sends the statement of the day before to `channel`."""

    channel: Slug
    at: TimeOfDay = time(8)
    time_zone: TimeZone = ZoneInfo("UTC")
