"""A value over time as a line of text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.charts.spark import spark_line
from smm_rules.charts.svg import Point

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
END = T0 + 8 * HOUR


def points(*values: tuple[int, str]) -> list[Point]:
    return [Point(T0 + hours * HOUR, Decimal(value)) for hours, value in values]


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""),
        ([(0, "5")], "▁▁▁▁▁▁▁▁"),
        ([(-9, "1"), (4, "2")], "▁▁▁█████"),
        ([(4, "2"), (-9, "1")], "▁▁▁█████"),
        ([(3, "1")], "  ▁▁▁▁▁▁"),
        ([(0, "0"), (3, "7"), (6, "3.5")], "▁▁██" "█▄▄▄"),
        ([(9, "1")], ""),
    ],
)  # fmt: skip
def test_a_line_is_as_high_as_the_value_at_the_end_of_each_part(
    values: list[tuple[int, str]], line: str
) -> None:
    assert spark_line(points(*values), T0, END, 8) == line


@given(
    st.lists(st.tuples(st.integers(-5, 12), st.decimals(-1000, 1000, places=3)), max_size=20),
    st.integers(1, 60),
)
def test_it_is_always_as_wide_as_asked_or_empty(values: list[tuple[int, Decimal]], width: int) -> None:
    line = spark_line([Point(T0 + hours * HOUR, value) for hours, value in values], T0, END, width)
    assert len(line) in (0, width)
    assert (line == "") == all(hours > 8 for hours, _ in values)
