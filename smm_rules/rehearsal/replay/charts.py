"""Bar charts as inline SVG, one group of bars a day, one bar a side: no script, no font, no other file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from html import escape

_HEIGHT, _TOP, _BOTTOM, _LEFT = 180, 28, 26, 46
_GROUP_WIDTH, _LEAST_WIDTH = 44, 320
_GAP = 8
_MOST_LABELS = 10


@dataclass(frozen=True, slots=True)
class Series:
    """One bar of each day: its title, the name of its colour in the page's style, and its values."""

    title: str
    colour: str
    values: Sequence[Decimal]


def bar_chart(title: str, days: Sequence[date], series: Sequence[Series], unit: str = "") -> str:
    """The chart as an `<svg>`. It has a title and, in each bar, its value, for who can't see the bars."""
    top = _round_top(max((value for one in series for value in one.values), default=Decimal(0)))
    group = max(_GROUP_WIDTH, (_LEAST_WIDTH - _LEFT) // max(len(days), 1))
    width = _LEFT + group * len(days)
    height = _TOP + _HEIGHT + _BOTTOM
    parts = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>",
        *_scale(_ticks(top, series), width, unit),
    ]
    bar = (group - _GAP) / max(len(series), 1)
    every = -(-len(days) // _MOST_LABELS)
    for number, day in enumerate(days):
        left = _LEFT + number * group + _GAP / 2
        for place, one in enumerate(series):
            parts.append(_bar(day, one, one.values[number], top, left + place * bar, bar, unit))
        if number % every == 0:
            middle = _LEFT + number * group + group / 2
            parts.append(_label(f"{day:%d %b}", middle, height - 8, "middle"))
    parts.append("</svg>")
    return "".join(parts)


def _bar(
    day: date, series: Series, value: Decimal, top: Decimal, left: float, width: float, unit: str
) -> str:
    tall = float(value / top) * _HEIGHT if top else 0.0
    said = f"{day:%Y-%m-%d}, {series.title}: {number_text(value)}{f' {unit}' if unit else ''}"
    return (
        f'<rect class="{series.colour}" x="{left:.1f}" y="{_TOP + _HEIGHT - tall:.1f}" '
        f'width="{max(width - 2, 1):.1f}" height="{tall:.1f}"><title>{escape(said)}</title></rect>'
    )


def _ticks(top: Decimal, series: Sequence[Series]) -> tuple[Decimal, ...]:
    """Nothing, half and all; no half of things that are counted in ones."""
    if not top:
        return (Decimal(0),)
    half = top / 2
    whole = all(value == value.to_integral_value() for one in series for value in one.values)
    return (Decimal(0), top) if whole and half != half.to_integral_value() else (Decimal(0), half, top)


def _scale(ticks: Sequence[Decimal], width: int, unit: str) -> list[str]:
    top = ticks[-1]
    parts = []
    for value in ticks:
        y = _TOP + _HEIGHT - (float(value / top) * _HEIGHT if top else 0.0)
        parts.append(f'<line class="line" x1="{_LEFT}" x2="{width}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(_label(number_text(value), _LEFT - 6, y + 4, "end"))
    if unit:
        parts.append(_label(unit, 4, 11, "start"))
    return parts


def _label(text: str, x: float, y: float, anchor: str) -> str:
    return f'<text class="label" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def number_text(value: Decimal) -> str:
    """A number without needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _round_top(most: Decimal) -> Decimal:
    """A round number at or above the tallest bar."""
    if most <= 0:
        return Decimal(0)
    step = Decimal(1).scaleb(most.adjusted())
    for factor in (1, 2, 4, 5, 10):
        if step * factor >= most:
            return step * factor
    return (most / step).to_integral_value(ROUND_CEILING) * step
