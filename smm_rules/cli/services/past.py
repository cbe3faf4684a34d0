"""`smm-rules services history`: one service over time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from smm_rules.charts.spark import spark_line
from smm_rules.charts.svg import Point, line_chart, stand_alone
from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration
from smm_rules.cli.moments import moment_before
from smm_rules.cli.services.naming import must_know, service_arguments, service_named
from smm_rules.cli.services.shapes import change_shape, service_shape
from smm_rules.cli.shapes import moment
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, new_table, output, print_json, print_table, safe
from smm_rules.cli.writing import write_for_owner
from smm_rules.clock import SystemClock
from smm_rules.engine.observation import share
from smm_rules.history.catalogues import changes_of, currency_of, rate_points
from smm_rules.history.changes import ServiceChange
from smm_rules.history.words import differences_in_words, percent, written
from smm_rules.ledger.records import Watched

_BEGINNING = datetime(1971, 1, 1, tzinfo=UTC)


@click.command("history")
@service_arguments
@click.option(
    "--since", metavar="TIME", help="Only from then on: 30d, 2026-03-01. Default: all that is kept."
)
@click.option(
    "--svg", "picture", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write a picture of the price over time.",
)  # fmt: skip
@config_option
@json_option
@asynchronous
async def history(
    panel: str,
    service: str | None,
    since: str | None,
    picture: Path | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Show the price of a service over time and all that changed of it."""
    configuration = read_configuration(config_path)
    entity = service_named(panel, service, configuration)
    now = SystemClock().now()
    async with open_existing(configuration) as ledger:
        known = await must_know(ledger, entity)
        start = max(moment_before(since, now) if since else _BEGINNING, known.first_seen_at or _BEGINNING)
        points = await rate_points(ledger, entity, start, now)
        changes = await changes_of(ledger, entity, start, now)
        currency = await currency_of(ledger, entity.panel)
    if picture is not None:
        _draw(picture, known, points, start, now, currency)
    if as_json:
        print_json(
            {
                **service_shape(known, currency),
                "rates": [{"at": point.at, "rate": point.value} for point in points],
                "changes": [change_shape(change, currency) for change in changes],
            }
        )
        return
    show_past(known, points, changes, start, now, currency)


def _draw(
    file: Path, known: Watched, points: list[Point], since: datetime, now: datetime, currency: str | None
) -> None:
    title = f"Price of {known.entity.panel}/{known.entity.id} for 1000: {known.facts.get('name', '')}"
    chart = line_chart(points, since, now, title, currency or "")
    if not chart:
        errors().print("The price was never said, so there is nothing to draw.")
        return
    write_for_owner(file, stand_alone(chart), over=True)
    errors().print(f"wrote {safe(file)}")


def show_past(
    known: Watched,
    points: list[Point],
    changes: tuple[ServiceChange, ...],
    since: datetime,
    now: datetime,
    currency: str | None,
) -> None:
    """The price as a line of blocks, then every change."""
    console = output()
    name = safe(known.facts.get("name", ""))
    console.print(f"[bold]{safe(known.entity.panel)}/{safe(known.entity.id)}[/] {name}")
    if points:
        first, last = points[0].value, points[-1].value
        low, high = min(point.value for point in points), max(point.value for point in points)
        moved = f" ({percent(share(last - first, first))})" if first and last != first else ""
        price = safe(f"{written(first)} → {written(last)} {currency or ''}".rstrip())
        console.print(f"{spark_line(points, since, now)}  {price}{moved}")
        console.print(
            f"since {moment(since)}, between {written(low)} and {written(high)} for 1000", style="dim"
        )
    if not changes:
        console.print("Nothing changed.")
        return
    table = new_table("at", "", "what", whole=("at",))
    for change in changes:
        table.add_row(
            moment(change.at), change.event.value, safe(", ".join(differences_in_words(change, currency)))
        )
    print_table(table)
