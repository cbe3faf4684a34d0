"""Short words for the tests of readers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from smm_rules.intake.lines import BadLine, IntakeOptions, Line
from smm_rules.intake.readers import read_json_lines, read_separated, read_yaml_list
from smm_rules.ledger.records import NewOrder

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Reader = Callable[[BinaryIO, IntakeOptions], Iterator[Line]]
READERS: dict[str, Reader] = {
    "csv": read_separated,
    "jsonl": read_json_lines,
    "yaml": read_yaml_list,
}


def options(zone: str | None = None, panel: str | None = "north", ignored: str = "") -> IntakeOptions:
    time_zone = ZoneInfo(zone) if zone else None
    return IntakeOptions(NOW, ("north", "south"), panel, time_zone, frozenset(ignored.split()))


def lines(reader: Reader, text: str | bytes, given: IntakeOptions | None = None) -> list[Line]:
    data = text.encode() if isinstance(text, str) else text
    return list(reader(io.BytesIO(data), given or options()))


def orders(found: list[Line]) -> list[NewOrder]:
    return [line for line in found if isinstance(line, NewOrder)]


def ids(found: list[Line]) -> list[str]:
    return [order.entity.id for order in orders(found)]


def bad(found: list[Line]) -> list[BadLine]:
    return [line for line in found if isinstance(line, BadLine)]


def places(found: list[Line]) -> list[tuple[int, str]]:
    return [(line.line, line.what) for line in bad(found)]
