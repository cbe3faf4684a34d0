"""The report as one HTML page: charts and tables, nothing loaded from elsewhere, readable on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape

from smm_rules.engine.firing import Occasion
from smm_rules.rehearsal.replay.charts import Series, bar_chart
from smm_rules.rehearsal.replay.comparing import Compared
from smm_rules.rehearsal.replay.model import Account, Span
from smm_rules.rehearsal.replay.report import ASSUMPTIONS, Report, Side, currencies, spent_text

_COLOURS = ("real", "first", "second")
_MOST_ROWS = 1_000
_STYLE = """
:root { color-scheme: light dark; --ink: #1a1c20; --soft: #5b6270; --line: #d9dde4; --ground: #fff;
  --real: #7a828f; --first: #2f6fde; --second: #d9822b; --mark: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --soft: #a2a9b6; --line: #3a3f48;
  --ground: #16181c; --real: #8b93a1; --first: #6b9bf2; --second: #e6a05a; --mark: #f2867f; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; overflow-wrap: anywhere; }
p, li { color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; white-space: nowrap; }
th { color: var(--soft); font-weight: 500; font-size: .875rem; }
td.number, th.number { text-align: right; }
td.none { color: var(--mark); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; padding: 0; margin: .5rem 0; }
.legend span { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin-right: .4rem; }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
svg { display: block; max-width: none; }
svg .line { stroke: var(--line); } svg .label { fill: var(--soft); font-size: 11px; }
.real { fill: var(--real); background: var(--real); } .first { fill: var(--first); background: var(--first); }
.second { fill: var(--second); background: var(--second); }
"""


def html_page(report: Report, made_at: datetime) -> str:
    """The whole page as text."""
    span = report.span
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>smm-rules replay {span.since:%Y-%m-%d} to {span.until:%Y-%m-%d}</title>",
        f"<style>{_STYLE}</style></head><body>",
        "<h1>What the rules would have done</h1>",
        f"<p>{_moment(span.since)} to {_moment(span.until)}; made {_moment(made_at)}. Nothing was sent.</p>",
        *(f"<p><strong>{escape(note)}</strong></p>" for note in report.notes),
        _legend(report.sides),
        "<h2>By rule</h2>",
        _by_rule(report),
        "<h2>By day</h2>",
        *_charts(report),
        "<h2>Firings</h2>",
        _firings(report),
        "<h2>What this takes for granted</h2>",
        f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in ASSUMPTIONS)}</ul>",
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _legend(sides: Sequence[Side]) -> str:
    items = (
        f'<li><span class="{colour}"></span>{escape(side.title)}</li>'
        for side, colour in zip(sides, _COLOURS, strict=False)
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def _table(heads: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are ready; `heads` says of each column whether it holds numbers."""
    numbers = [' class="number"' if number else "" for _, number in heads]
    head = "".join(
        f'<th scope="col"{kind}>{escape(text)}</th>' for (text, _), kind in zip(heads, numbers, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(_cell(text, kind) for text, kind in zip(row, numbers, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: str, kind: str) -> str:
    return f'<td class="none">{_ABSENT}</td>' if text == _ABSENT else f"<td{kind}>{escape(text)}</td>"


_ABSENT = "not"


def _by_rule(report: Report) -> str:
    heads = [("rule", False), ("", False)]
    heads += [(text, True) for text in ("fired", "reminded", "resolved", "held", "limited")]
    heads.append(("spent", False))
    rows = [
        [rule if number == 0 else "", side.title, *_counts(side, side.account.of(rule))]
        for rule in report.rules
        for number, side in enumerate(report.sides)
    ]
    return _table(heads, rows)


def _counts(side: Side, account: Account) -> list[str]:
    occasions = [str(account.count(occasion)) for occasion in Occasion]
    limited = str(len(account.limited)) if side.replayed is not None else ""
    return [*occasions, str(len(account.held)), limited, spent_text(account)]


def _charts(report: Report) -> list[str]:
    parts: list[str] = []
    for rule in report.rules:
        accounts = [side.account.of(rule) for side in report.sides]
        if not any(account.fired or account.acted for account in accounts):
            continue
        parts.append(f"<h3>{escape(rule)}</h3>")
        measured = ("firings", *currencies(accounts))
        charts = "".join(_chart(report, rule, what, accounts) for what in measured)
        parts.append(f'<div class="charts">{charts}</div>')
    return parts or ["<p>Nothing fired.</p>"]


def _chart(report: Report, rule: str, what: str, accounts: Sequence[Account]) -> str:
    days = report.span.days
    series = [
        Series(side.title, colour, [_value(account.on(day), what) for day in days])
        for side, colour, account in zip(report.sides, _COLOURS, accounts, strict=False)
    ]
    measured = "firings" if what == "firings" else f"spent in {what or '?'}"
    title = f"{rule}: {measured} by day"
    return f'<div class="wide">{bar_chart(title, days, series, what or "?")}</div>'


def _value(account: Account, what: str) -> Decimal:
    if what == "firings":
        return Decimal(account.count(Occasion.FIRED))
    return account.spent.get(what, Decimal(0))


def _firings(report: Report) -> str:
    compared = report.compared()
    heads = [("rule", False), ("thing", False), ("occasion", False)]
    heads += [(side.title, False) for side in report.sides]
    table = _table(heads, [_row(one) for one in compared[:_MOST_ROWS]])
    if len(compared) <= _MOST_ROWS:
        return table
    return f"{table}<p>The first {_MOST_ROWS:,} of {len(compared):,}; --json has them all.</p>"


def _row(one: Compared) -> list[str]:
    times = [f"{at:%Y-%m-%d %H:%M}" if at is not None else _ABSENT for at in one.at]
    return [one.rule, str(one.entity), one.occasion.value, *times]


def day_values(span: Span, account: Account, what: str) -> list[Decimal]:
    """One value for each day of `span`: firings, or what was spent in the currency `what`."""
    return [_value(account.on(day), what) for day in span.days]
