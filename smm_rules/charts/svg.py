"""Charts as inline SVG: no script, no font, no other file. Each says in words what it shows.

Colours are classes of the page's style, so that they follow light and dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

from markupsafe import Markup, escape

from smm_rules.charts.neutral import neutral

_WIDTH, _HEIGHT = 640, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 2, 2, 22, 26
_SPARK_WIDTH, _SPARK_HEIGHT = 120, 28
#: More points than the line has pixels say no more.
_MOST_POINTS = 300


@dataclass(frozen=True, slots=True)
class Point:
    """A value from `at` on, until the next point."""

    at: datetime
    value: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar: what it counts, how many, and the name of its colour in the page's style."""

    label: str
    count: int
    colour: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where values lie on the picture."""

    since: datetime
    until: datetime
    low: Decimal
    high: Decimal
    left: float
    right: float
    top: float
    bottom: float

    def x(self, at: datetime) -> float:
        share = (at - self.since) / (self.until - self.since) if self.until > self.since else 0.0
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def y(self, value: Decimal) -> float:
        span = self.high - self.low
        share = float((value - self.low) / span) if span else 0.5
        return self.bottom - share * (self.bottom - self.top)


def thinned(points: Sequence[Point], since: datetime, until: datetime) -> list[Point]:
    """At most about `_MOST_POINTS` points that show the same line: of each moment the lowest and highest.

    The last point before `since` is where the line begins.
    """
    before = [point for point in points if point.at <= since]
    inside = [point for point in points if since < point.at <= until]
    if before:
        inside.insert(0, Point(since, before[-1].value))
    if len(inside) <= _MOST_POINTS:
        return inside
    width = (until - since) / (_MOST_POINTS // 2)
    slots: dict[int, list[Point]] = {}
    for point in inside:
        slots.setdefault(int((point.at - since) / width), []).append(point)
    kept: list[Point] = []
    for members in slots.values():
        extremes = {min(members, key=_value), max(members, key=_value), members[-1]}
        kept += sorted(extremes, key=lambda point: point.at)
    return kept


def _value(point: Point) -> Decimal:
    return point.value


def sparkline(points: Sequence[Point], since: datetime, until: datetime, title: str) -> Markup:
    """A line without scales, for a small place; a flat one where nothing moved, nothing without points."""
    shown = thinned(points, since, until)
    if not shown:
        return Markup("")
    values = [point.value for point in shown]
    frame = _Frame(since, until, min(values), max(values), 2, _SPARK_WIDTH - 2, 3, _SPARK_HEIGHT - 3)
    size = f'viewBox="0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}" width="{_SPARK_WIDTH}" height="{_SPARK_HEIGHT}"'
    end = f'<circle class="dot" cx="{frame.x(until):.1f}" cy="{frame.y(values[-1]):.1f}" r="2"/>'
    return Markup(f'<svg class="spark" {size} {_named(title)}{_line(shown, frame)}{end}</svg>')  # noqa: S704


def line_chart(
    points: Sequence[Point], since: datetime, until: datetime, title: str, unit: str = ""
) -> Markup:
    """A value over time as steps, with scales; nothing where nothing is known."""
    shown, unit = thinned(points, since, until), str(neutral(unit))
    if not shown:
        return Markup("")
    low, high = _round_bounds([point.value for point in shown])
    frame = _Frame(since, until, low, high, _LEFT, _WIDTH - _RIGHT, _TOP, _HEIGHT - _BOTTOM)
    values = [point.value for point in shown]
    told = (
        f"From {_number(values[0])} to {_number(values[-1])} {unit}".rstrip()
        + f", between {_number(min(values))} and {_number(max(values))}."
    )
    parts = [
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_named(title, told)}',
        _area(shown, frame),
        _line(shown, frame),
        *_value_scale(frame, unit),
        *_time_scale(frame),
        "</svg>",
    ]
    return Markup("".join(parts))  # noqa: S704 - every text in it was escaped


#: The page's style for what stands in a file of its own.
_STYLE = (
    ":root{color-scheme:light dark;--ink:#17604f;--soft:#54605c;--line:#d8deda;--ground:#fff}"
    "@media (prefers-color-scheme:dark){:root{--ink:#7fd1ba;--soft:#a3b0ab;--line:#333d39;--ground:#1b211f}}"
    "svg{background:var(--ground);font-family:system-ui,sans-serif}"
    ".line{fill:none;stroke:var(--ink);stroke-width:2;stroke-linejoin:round;vector-effect:non-scaling-stroke}"
    ".area{fill:var(--ink);opacity:.12}.dot{fill:var(--ink)}.grid{stroke:var(--line)}"
    ".label{fill:var(--soft);font-size:9px}"
)


def stand_alone(chart: Markup) -> str:
    """A chart as the text of a file: with the namespace, size and style that it has from a page otherwise."""
    size = "" if " width=" in chart.partition(">")[0] else f' width="{_WIDTH}" height="{_HEIGHT}"'
    opening, _, rest = str(chart).partition(">")
    frame = opening.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg"{size} ', 1)
    return f"{frame}><style>{_STYLE}</style>{rest}\n"


def stacked_bar(parts: Sequence[Part], title: str) -> Markup:
    """How a whole divides, as one bar; nothing where there is nothing to divide."""
    whole = sum(part.count for part in parts)
    if not whole:
        return Markup("")
    told = ", ".join(f"{part.label} {part.count:,}" for part in parts if part.count)
    drawn, left = [], 0.0
    for part in parts:
        width = part.count / whole * 100
        if width:
            drawn.append(
                f'<rect class="{part.colour}" x="{left:.2f}" y="0" width="{width:.2f}" height="10"/>'
            )
        left += width
    frame = 'viewBox="0 0 100 10" preserveAspectRatio="none"'
    return Markup(f'<svg class="bar" {frame} {_named(title, told)}{"".join(drawn)}</svg>')  # noqa: S704


def meter(share: Decimal, title: str) -> Markup:
    """How much of something is used, 1 being all of it."""
    width = float(min(max(share, Decimal(0)), Decimal(1))) * 100
    colour = "full" if share >= 1 else "near" if share >= Decimal("0.8") else "fine"
    told = f"{share:.0%} used"
    frame = 'viewBox="0 0 100 10" preserveAspectRatio="none"'
    size = f'width="{width:.2f}" height="10"'
    drawn = f'<rect class="ground" width="100" height="10"/><rect class="{colour}" {size}/>'
    return Markup(f'<svg class="bar meter" {frame} {_named(title, told)}{drawn}</svg>')  # noqa: S704


def _named(title: str, told: str = "") -> str:
    """The rest of the opening tag and what a screen reader says of the picture."""
    name = escape(neutral(title))
    key = sha256(f"{title}\n{told}".encode(errors="replace")).hexdigest()[:10]
    if not told:
        return f'role="img" aria-labelledby="t{key}"><title id="t{key}">{name}</title>'
    described = escape(neutral(told))
    return (
        f'role="img" aria-labelledby="t{key} d{key}"><title id="t{key}">{name}</title>'
        f'<desc id="d{key}">{described}</desc>'
    )


def _steps(points: Sequence[Point], frame: _Frame) -> str:
    first, *rest = points
    path = [f"M{frame.x(first.at):.1f} {frame.y(first.value):.1f}"]
    for point in rest:
        path.append(f"H{frame.x(point.at):.1f}V{frame.y(point.value):.1f}")
    return "".join([*path, f"H{frame.x(frame.until):.1f}"])


def _line(points: Sequence[Point], frame: _Frame) -> str:
    return f'<path class="line" d="{_steps(points, frame)}"/>'


def _area(points: Sequence[Point], frame: _Frame) -> str:
    base = f"V{frame.bottom:.1f}H{frame.x(points[0].at):.1f}Z"
    return f'<path class="area" d="{_steps(points, frame)}{base}"/>'


def _value_scale(frame: _Frame, unit: str) -> Iterable[str]:
    for number in range(3):
        value = frame.low + (frame.high - frame.low) * number / 2
        y = frame.y(value)
        yield f'<line class="grid" x1="{frame.left}" x2="{frame.right}" y1="{y:.1f}" y2="{y:.1f}"/>'
        text = escape(f"{_number(value)} {unit}".rstrip() if number == 2 else _number(value))
        yield f'<text class="label" x="{frame.left}" y="{y - 4:.1f}">{text}</text>'


def _time_scale(frame: _Frame) -> Iterable[str]:
    span = frame.until - frame.since
    pattern = "%H:%M" if span <= timedelta(days=2) else "%d %b"
    for number in range(5):
        at = frame.since + span * number / 4
        anchor = "start" if number == 0 else "end" if number == 4 else "middle"
        text = at.astimezone(UTC).strftime(pattern)
        y = frame.bottom + 18
        yield f'<text class="label" x="{frame.x(at):.1f}" y="{y}" text-anchor="{anchor}">{text}</text>'


def _round_bounds(values: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    """Round numbers around all values: from nothing on where the line would else hide how little is left."""
    low, high = min(values), max(values)
    if low > 0 and low < high / 2:
        low = Decimal(0)
    if low == high:
        margin = abs(high) / 10 or Decimal(1)
        low, high = (low - margin if low else low), high + margin
    step = Decimal(1).scaleb((high - low).adjusted() - 1)
    down = (low / step).to_integral_value(rounding="ROUND_FLOOR") * step
    up = (high / step).to_integral_value(rounding="ROUND_CEILING") * step
    return down, up


def _number(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
