"""`smm-rules services diff`: what became of services."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.moments import moment_before
from smm_rules.cli.naming import known_panel, panels_of
from smm_rules.cli.services.shapes import change_shape
from smm_rules.cli.shapes import moment
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, new_table, print_json, print_table, safe
from smm_rules.clock import SystemClock
from smm_rules.history.catalogues import (
    MOST_CHANGES,
    Changes,
    changes_one_by_one,
    changes_together,
    currency_of,
    stale_catalogues,
)
from smm_rules.history.changes import Event, ServiceChange
from smm_rules.history.words import differences_in_words

_STYLES = {Event.GONE: "red", Event.PASSED: "red", Event.NEW: "green", Event.BACK: "green"}


@click.command("diff")
@click.option("--panel", "-p", metavar="PANEL", help="Only what changed on this panel.")
@click.option(
    "--since", metavar="TIME", default="7d", show_default=True,
    help="Compare with how it was then: 7d, 2026-03-01, 2026-03-01T12:00Z.",
)  # fmt: skip
@click.option("--until", metavar="TIME", help="Compare with then instead of now.")
@click.option("--each", "one_by_one", is_flag=True, help="Every change by itself, the newest first.")
@click.option(
    "--only", "events", type=click.Choice([event.value for event in Event]), multiple=True,
    help="Only these; may be repeated.",
)  # fmt: skip
@config_option
@json_option
@asynchronous
async def diff(
    panel: str | None,
    since: str,
    until: str | None,
    one_by_one: bool,
    events: tuple[str, ...],
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Show what became of services: price, quantities, type, name, gone, back, new.

    An empty catalogue is taken for a fault of the panel and changes nothing.
    """
    configuration = read_configuration(config_path)
    now = SystemClock().now()
    start, end = moment_before(since, now), now if until is None else moment_before(until, now)
    if start >= end:
        raise Stop("--since must lie before --until.", Exit.USAGE)
    name = None if panel is None else known_panel(panel, configuration)
    gather = changes_one_by_one if one_by_one else changes_together
    async with open_existing(configuration) as ledger:
        found = await gather(ledger, name, start, end)
        panels = sorted({change.service.panel for change in found.changes})
        currencies = {one: await currency_of(ledger, one) for one in panels}
        asked = panels_of(configuration) if name is None else [name]
        warnings = await stale_catalogues(ledger, configuration, asked, now)
    shown = [change for change in found.changes if not events or change.event in events]
    if as_json:
        print_json([change_shape(change, currencies[change.service.panel]) for change in shown])
    else:
        _show(shown, currencies, one_by_one)
        errors().print(_summary(found, shown, start))
    for warning in warnings:
        errors().print(f"[yellow]{safe(warning)}[/]")
    if not found.whole:
        errors().print(f"[yellow]Only the last {MOST_CHANGES:,} changes were read: give a later --since.[/]")


def _show(changes: list[ServiceChange], currencies: Mapping[str, str | None], one_by_one: bool) -> None:
    if not changes:
        return
    when = "at" if one_by_one else "last changed"
    table = new_table("service", "", "what", when, "name", whole=("service", when))
    for change in changes:
        words = differences_in_words(change, currencies[change.service.panel])
        style = _STYLES.get(change.event)
        event = change.event.value if style is None else f"[{style}]{change.event.value}[/]"
        table.add_row(
            safe(f"{change.service.panel}/{change.service.id}"),
            event,
            safe(", ".join(words)),
            moment(change.at),
            safe(change.facts.get("name", "")),
        )
    print_table(table)


def _summary(found: Changes, shown: list[ServiceChange], since: datetime) -> str:
    if not shown:
        told = f"Nothing {'of the kind' if found.changes else 'changed'} since {moment(since)}."
    else:
        counts = Counter(change.event for change in shown)
        told = ", ".join(f"{counts[event]:,} {event}" for event in Event if counts[event]) + "."
    if found.reverted:
        told += f" {found.reverted:,} changed and are again as they were: --each shows how."
    return told
