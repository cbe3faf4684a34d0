"""Curves as SVG, without a library: one chart, logarithmic to the right, linear upwards from zero."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 40, 48
#: Told apart by colour and by dash, on light and dark pages alike.
_STROKES = (("#3b7dd8", ""), ("#d8743b", "6 4"), ("#4b9b4b", "2 3"), ("#9b4b9b", "8 3 2 3"))


def chart(title: str, across: str, up: str, curves: Mapping[str, Points]) -> str:
    """The curves by name as one SVG document. Every point is marked; values across must be above zero."""
    points = [point for curve in curves.values() for point in curve]
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    top = _round_up(max(y for _, y in points))

    def place(x: float, y: float) -> tuple[float, float]:
        share = 0.5 if high == low else math.log(x / low) / math.log(high / low)
        return (
            _LEFT + share * (WIDTH - _LEFT - _RIGHT),
            HEIGHT - _BOTTOM - y / top * (HEIGHT - _TOP - _BOTTOM),
        )

    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = [
        _text(_LEFT, 18, title, "start"),
        _text(8, 34, up, "start"),
        _text(right, HEIGHT - 8, across, "end"),
    ]
    for step in range(5):
        _, y = place(low, top * step / 4)
        parts.append(f'<line x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#7774"/>')
        parts.append(_text(_LEFT - 6, y + 4, f"{top * step / 4:g}", "end"))
    parts += [
        _text(place(x, 0)[0], bottom + 18, f"{x:,.0f}", "middle") for x in sorted({x for x, _ in points})
    ]
    for index, (name, curve) in enumerate(curves.items()):
        colour, dash = _STROKES[index % len(_STROKES)]
        placed = [place(x, y) for x, y in curve]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        stroke = f'stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
        parts.append(f'<polyline points="{line}" fill="none" {stroke}/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
        parts.append(_text(right, 18 + 14 * index, name, "end", colour))
    body = "\n".join(parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">\n{body}\n</svg>\n'


def _text(x: float, y: float, words: str, anchor: str, colour: str = "#777") -> str:
    font = f'font-family="sans-serif" font-size="12" text-anchor="{anchor}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {font}>{escape(words)}</text>'


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 5 or 10 times a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 5, 10) if step * power >= value)
