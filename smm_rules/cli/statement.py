"""`smm-rules statement`: what was spent, refunded, refilled, is in doubt and held, beside the balance."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration
from smm_rules.cli.moments import moment_before
from smm_rules.cli.naming import known_panel, panel_option, panels_of, time_zone_option
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import output, plain, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.config.model import Configuration
from smm_rules.statement import Line, Reconciliation, Span, Statement, day_span
from smm_rules.statement.gathering import draw_up
from smm_rules.statement.words import panel_lines, title

_SUMS = ("expected", "unexplained", "unexplained_rises", "unexplained_falls", "agrees")


@click.command("statement")
@click.option("--day", metavar="YYYY-MM-DD", help="That day, from midnight to midnight. Default: today.")
@click.option("--since", metavar="TIME", help="Instead of a day: from 7d ago, or a date or time (UTC).")
@click.option("--until", metavar="TIME", help="With --since: until then. Default: now.")
@time_zone_option
@panel_option
@click.option("--csv", "as_csv", is_flag=True, help="A line per panel, rule and currency, for a spreadsheet.")
@json_option
@config_option
@asynchronous
async def command(
    day: str | None,
    since: str | None,
    until: str | None,
    time_zone: tzinfo | None,
    panel: str | None,
    as_csv: bool,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Show what each rule spent, got back and asked for on each panel, and whether the balance agrees.

    Money of different currencies is never added up. Whatever moved the balance and isn't known is shown.
    """
    configuration = read_configuration(config_path)
    now = SystemClock().now()
    span = _span(day, since, until, time_zone or _zone(configuration), now)
    panels = panels_of(configuration) if panel is None else [known_panel(panel, configuration)]
    async with open_existing(configuration) as ledger:
        drawn_up = await draw_up(ledger, panels, span, now - configuration.retention)
    if as_json:
        print_json(statement_shape(drawn_up))
    elif as_csv:
        _write_csv(drawn_up)
    else:
        _print(drawn_up)


def _zone(configuration: Configuration) -> tzinfo:
    return UTC if configuration.statement is None else configuration.statement.time_zone


def _span(day: str | None, since: str | None, until: str | None, zone: tzinfo, now: datetime) -> Span:
    if since is not None:
        if day is not None:
            raise click.UsageError("say either --day or --since")
        span = Span(moment_before(since, now), now if until is None else moment_before(until, now))
        if span.since >= span.until:
            raise click.UsageError("--since must lie before --until")
        return span
    if until is not None:
        raise click.UsageError("--until goes with --since")
    try:
        return day_span(now.astimezone(zone).date() if day is None else date.fromisoformat(day), zone)
    except ValueError:
        raise click.BadParameter(f"{day!r} is no day; write it like 2026-03-01", param_hint="--day") from None


def _print(drawn_up: Statement) -> None:
    output().print(f"[bold]{safe(title(drawn_up))}[/]")
    for panel in drawn_up.panels:
        output().print(f"\n[bold]{safe(panel.panel)}[/]")
        for line in panel_lines(panel):
            style = "yellow" if line.startswith("NOT EXPLAINED") else "default"
            output().print(f"  [{style}]{safe(line)}[/]")
    if not drawn_up.complete:
        output().print("\nThe ledger no longer keeps all of this time (see retention).")
    output().print(f"\nHead of the record of decisions: {drawn_up.head}")


def statement_shape(drawn_up: Statement) -> dict[str, object]:
    """A statement for scripts."""
    return {
        "name": drawn_up.span.name,
        "since": drawn_up.span.since,
        "until": drawn_up.span.until,
        "complete": drawn_up.complete,
        "panels": [
            {
                "panel": panel.panel,
                "lines": [
                    {field.name: getattr(line, field.name) for field in fields(Line)} for line in panel.lines
                ],
                "balance": None if panel.reconciliation is None else _balance_shape(panel.reconciliation),
            }
            for panel in drawn_up.panels
        ],
        "head": str(drawn_up.head),
    }


def _balance_shape(found: Reconciliation) -> dict[str, object]:
    names = [field.name for field in fields(Reconciliation)]
    return {name: getattr(found, name) for name in (*names, *_SUMS)}


def _write_csv(drawn_up: Statement) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(("panel", *(field.name for field in fields(Line))))
    for row in _rows(drawn_up):
        writer.writerow(row)


def _rows(drawn_up: Statement) -> Iterator[tuple[object, ...]]:
    """The lines of each panel, then what its balance shows and no line explains: falls as spent, rises as
    refunded."""
    for panel in drawn_up.panels:
        found = panel.reconciliation
        rest = () if found is None or found.agrees else (_not_explained(found),)
        for line in (*panel.lines, *rest):
            yield (panel.panel, *(plain(getattr(line, field.name)) for field in fields(Line)))


def _not_explained(found: Reconciliation) -> Line:
    spent, refunded = found.unexplained_falls, found.unexplained_rises
    return Line("NOT EXPLAINED", found.currency, spent=spent, refunded=refunded)
