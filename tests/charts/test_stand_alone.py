"""A chart as a file of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree

from smm_rules.charts.svg import Point, line_chart, sparkline, stand_alone

T0 = datetime(2026, 3, 1, tzinfo=UTC)
POINTS = [Point(T0, Decimal(1)), Point(T0 + timedelta(days=1), Decimal(2))]


def test_a_chart_is_a_whole_svg_file() -> None:
    chart = line_chart(POINTS, T0, T0 + timedelta(days=2), "Price of a <b> & c\u202e", "USD")
    root = ElementTree.fromstring(stand_alone(chart))
    svg = "{http://www.w3.org/2000/svg}"
    assert (root.tag, root.get("width"), root.get("height")) == (f"{svg}svg", "640", "200")
    assert [child.tag for child in root][:2] == [f"{svg}style", f"{svg}title"]
    assert [child.text for child in root if child.tag == f"{svg}title"] == ["Price of a <b> & c·"]


def test_a_small_one_keeps_its_size() -> None:
    root = ElementTree.fromstring(stand_alone(sparkline(POINTS, T0, T0 + timedelta(days=2), "Price")))
    assert (root.get("width"), root.get("height")) == ("120", "28")
