"""A replay's report on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console

from smm_rules.cli.terminal import counted, new_table, print_table, safe
from smm_rules.engine.firing import Occasion
from smm_rules.rehearsal.replay.model import Account
from smm_rules.rehearsal.replay.page import day_values
from smm_rules.rehearsal.replay.report import ASSUMPTIONS, Report, currencies, spent_text

_MOST_SHOWN = 40
_BAR_WIDTH = 30


def print_report(report: Report, console: Console, *, diff: bool, plot: bool) -> None:
    """Counts by rule, bars if asked for, the firings, and what all of it takes for granted."""
    span = report.span
    console.print(f"{span.since:%Y-%m-%d %H:%MZ} to {span.until:%Y-%m-%d %H:%MZ}; nothing was sent.")
    for side in report.rehearsed:
        if side.replayed is not None:
            played = side.replayed
            console.print(
                f"{side.title}: {counted(len(played.rules), 'rule')}, "
                f"{counted(played.observations, 'observation')} of {counted(played.entities, 'thing')}"
            )
    for note in report.notes:
        console.print(f"[bold yellow]{safe(note)}[/]")
    console.print()
    _print_rules(report)
    if plot:
        _print_plot(report, console)
    _print_firings(report, console, diff=diff)
    console.print("\n[dim]Taken for granted:[/]")
    for text in ASSUMPTIONS:
        console.print(f"[dim]- {safe(text)}[/]")


def _print_rules(report: Report) -> None:
    table = new_table(
        "rule", "", "fired", "reminded", "resolved", "held", "limited", "spent", whole=("rule",)
    )
    for column in table.columns[2:7]:
        column.justify = "right"
    for rule in report.rules:
        for number, side in enumerate(report.sides):
            account = side.account.of(rule)
            counts = [str(account.count(occasion)) for occasion in Occasion]
            limited = str(len(account.limited)) if side.replayed is not None else ""
            name = safe(rule) if number == 0 else ""
            table.add_row(
                name, side.title, *counts, str(len(account.held)), limited, safe(spent_text(account))
            )
    print_table(table)


def _print_plot(report: Report, console: Console) -> None:
    for rule in report.rules:
        accounts = [side.account.of(rule) for side in report.sides]
        if any(account.fired for account in accounts):
            _print_bars(report, console, f"{rule}: firings", accounts, "firings")
        for currency in currencies(accounts):
            _print_bars(report, console, f"{rule}: spent, {currency or '?'}", accounts, currency)


def _print_bars(report: Report, console: Console, title: str, accounts: Sequence[Account], what: str) -> None:
    """One line a day and side; a day on which nothing happened has one line alone."""
    values = [day_values(report.span, account, what) for account in accounts]
    most = max(value for side in values for value in side)
    width = max(len(side.title) for side in report.sides)
    console.print(f"\n[bold]{safe(title)}[/]")
    for number, day in enumerate(report.span.days):
        if not any(side[number] for side in values):
            console.print(f"{day:%Y-%m-%d}")
            continue
        for place, (side, value) in enumerate(
            zip(report.sides, (one[number] for one in values), strict=True)
        ):
            date = f"{day:%Y-%m-%d}" if place == 0 else " " * 10
            bar = "█" * _length(value, most)
            style = "white" if place == 0 else "blue" if place == 1 else "yellow"
            console.print(f"{date} {side.title:{width}} [{style}]{bar}[/] {value:f}", soft_wrap=True)


def _length(value: Decimal, most: Decimal) -> int:
    """Anything at all is at least one character long."""
    return max(round(value / most * _BAR_WIDTH), 1) if value and most else 0


def _print_firings(report: Report, console: Console, *, diff: bool) -> None:
    compared = report.differences() if diff else report.compared()
    what = "Differences" if diff else "Firings"
    if not compared:
        console.print("\nNo differences: all fired alike." if diff else "\nNothing fired.")
        return
    table = new_table(
        "rule",
        "thing",
        "occasion",
        *(side.title for side in report.sides),
        title=what,
        whole=("rule", "thing"),
    )
    for one in compared[:_MOST_SHOWN]:
        times = [f"{at:%Y-%m-%d %H:%M}" if at is not None else "[red]-[/]" for at in one.at]
        table.add_row(safe(one.rule), safe(one.entity), one.occasion.value, *times)
    console.print()
    print_table(table)
    if len(compared) > _MOST_SHOWN:
        console.print(f"… and {len(compared) - _MOST_SHOWN:,} more: --json has them all.")
