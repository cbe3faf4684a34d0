"""A value over time as one line of text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from smm_rules.charts.svg import Point

_BLOCKS = "▁▂▃▄▅▆▇█"
_NOTHING = " "


def spark_line(points: Sequence[Point], since: datetime, until: datetime, width: int = 40) -> str:
    """`width` blocks, each as high as the value at the end of its part of the time; a space before the first.

    A value that never moved is a line of low blocks. Empty without points.
    """
    if not points or width < 1:
        return ""
    ordered = sorted(points, key=lambda point: point.at)
    values: list[Decimal | None] = []
    step, place, value = (until - since) / width, 0, None
    for part in range(1, width + 1):
        end = until if part == width else since + step * part
        while place < len(ordered) and ordered[place].at <= end:
            value = ordered[place].value
            place += 1
        values.append(value)
    known = [one for one in values if one is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    return "".join(_NOTHING if one is None else _block(one, low, high) for one in values)


def _block(value: Decimal, low: Decimal, high: Decimal) -> str:
    if high == low:
        return _BLOCKS[0]
    return _BLOCKS[int((value - low) / (high - low) * (len(_BLOCKS) - 1))]
