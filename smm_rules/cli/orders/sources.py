"""`smm-rules orders source`: the databases that orders are read from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, json_option, open_ledger, read_configuration
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.group import Group
from smm_rules.cli.naming import panels_of
from smm_rules.cli.shapes import moment, order_shape, until
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, new_table, output, print_json, print_table, safe
from smm_rules.clock import SystemClock
from smm_rules.config.model import Configuration
from smm_rules.config.sql_source import SqlSourceSettings
from smm_rules.document import did_you_mean
from smm_rules.intake import IntakeOptions
from smm_rules.intake.sql.database import SourceFailed, password_of
from smm_rules.intake.sql.reading import Part, Reading, begin
from smm_rules.intake.sql.source import options_of
from smm_rules.intake.sql.thread import OneThread
from smm_rules.intake.sql.watermark import load
from smm_rules.ledger.records import NewOrder, TrackedOrder
from smm_rules.ledger.sources import BadRow, SourceStanding
from smm_rules.ledger.sql.ledger import SqlLedger

_BAD_SHOWN = 100


@click.group("source", cls=Group)
def source() -> None:
    """The databases that orders are read from (`intake: {sql: …}`): how far, and what would come.

    They are never written to. See docs/intake.md.
    """


@source.command("list")
@config_option
@json_option
@asynchronous
async def list_sources(config_path: Path | None, as_json: bool) -> None:
    """Each source: how far it was read, when it is read next, and what went wrong."""
    configuration = read_configuration(config_path)
    if not configuration.intake.sql:
        raise Stop("The configuration names no database of orders (intake: {sql: […]}).")
    async with open_existing(configuration) as ledger:
        known = {standing.name: standing for standing in await ledger.sources()}
    if as_json:
        print_json([_shape(one, known.get(one.name)) for one in configuration.intake.sql])
        return
    now = SystemClock().now()
    table = new_table("source", "read", "up to", "orders", "bad rows", "next", "trouble")
    for one in configuration.intake.sql:
        standing = known.get(one.name)
        if standing is None:
            table.add_row(one.name, "not yet", "", "", "", "", "")
            continue
        trouble = f"{standing.failures} failures: {standing.error}" if standing.failures else ""
        table.add_row(
            one.name,
            moment(standing.read_at, "not yet"),
            _up_to(standing),
            f"{standing.added:,}",
            f"{standing.bad:,}" if standing.bad else "",
            until(standing.due_at, now),
            safe(trouble),
        )
    print_table(table)


def _up_to(standing: SourceStanding) -> str:
    mark = load(standing.watermark)
    return "" if mark is None else safe(f"{mark.column} {mark}")


def _shape(settings: SqlSourceSettings, standing: SourceStanding | None) -> dict[str, object]:
    shape: dict[str, object] = {"name": settings.name, "url": settings.url, "every": settings.every}
    if standing is None:
        return shape | {"read_at": None}
    mark = load(standing.watermark)
    return shape | {
        "read_at": standing.read_at,
        "due_at": standing.due_at,
        "watermark": None if mark is None else str(mark),
        "added": standing.added,
        "bad": standing.bad,
        "failures": standing.failures,
        "failing_since": standing.failing_since,
        "error": standing.error or None,
    }


@source.command("try")
@click.argument("name", metavar="NAME")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=5, show_default=True, metavar="N",
    help="At most so many rows.",
)  # fmt: skip
@click.option("--from-start", is_flag=True, help="As if it had never been read.")
@config_option
@json_option
@asynchronous
async def try_source(name: str, limit: int, from_start: bool, config_path: Path | None, as_json: bool) -> int:
    """Read a source and show what would come of its next rows. Nothing is taken and nothing written.

    Exit code 0 says that it can be read and each row shown is an order, 1 that one isn't, 5 that it can't be
    read.
    """
    configuration = read_configuration(config_path)
    settings = _settings(name, configuration)
    options = options_of(settings, panels_of(configuration), SystemClock().now())
    found = await _tried(configuration, settings, options, limit, from_start=from_start)
    if as_json:
        orders = [{**_new_shape(order), "known": order.entity in found.known} for order in found.orders]
        rows = [{"row": row.name, "what": row.what, "to_do": row.to_do} for row in found.bad]
        print_json({"orders": orders, "bad": rows})
    else:
        _show(found)
    return int(Exit.FAILED if found.bad else Exit.DONE)


@dataclass(frozen=True, slots=True)
class Tried:
    """What the next rows of a source come to; `known` are the orders that the ledger has already."""

    orders: Sequence[NewOrder]
    bad: Sequence[BadRow]
    known: frozenset[object]
    over: bool


async def _tried(
    configuration: Configuration,
    settings: SqlSourceSettings,
    options: IntakeOptions,
    limit: int,
    *,
    from_start: bool,
) -> Tried:
    standing, known = None, frozenset[object]()
    exists = not isinstance(configuration.ledger, Path) or configuration.ledger.exists()
    if exists:
        async with open_ledger(configuration) as ledger:
            standing = await ledger.source(settings.name)
    kept = "" if from_start or standing is None else standing.watermark
    part = await _read(settings, kept, options, limit)
    if exists:
        async with open_ledger(configuration) as ledger:
            known = await _known(ledger, part.orders)
    return Tried(part.orders, part.bad, known, part.over)


async def _read(settings: SqlSourceSettings, kept: str, options: IntakeOptions, limit: int) -> Part:
    reading = Reading(settings, _password(settings), begin(settings, kept), options)
    thread = OneThread("try")
    try:
        await thread.run(reading.open)
        return await thread.run(partial(reading.next_part, limit))
    except SourceFailed as error:
        raise _unreadable(settings, error) from None
    finally:
        thread.close(reading.close)


def _password(settings: SqlSourceSettings) -> str | None:
    try:
        return password_of(settings, os.environ)
    except SourceFailed as error:
        raise _unreadable(settings, error) from None


def _unreadable(settings: SqlSourceSettings, error: SourceFailed) -> Stop:
    return Stop(f"Source {settings.name} can't be read: {error}", Exit.PANEL)


async def _known(ledger: SqlLedger, orders: Sequence[NewOrder]) -> frozenset[object]:
    return frozenset({order.entity for order in orders if await ledger.order(order.entity) is not None})


def _show(found: Tried) -> None:
    if found.orders:
        table = new_table("panel", "order", "service", "link", "quantity", "placed", "")
        for order in found.orders:
            given = order.parameters
            table.add_row(
                safe(order.entity.panel),
                safe(order.entity.id),
                safe(order.service or ""),
                safe(given.get("link", "")),
                safe(given.get("quantity", "")),
                moment(order.placed_at),
                "known" if order.entity in found.known else "new",
            )
        print_table(table)
    for row in found.bad:
        errors().print(f"{safe(row.name)}: {safe(row.what)}. {safe(row.to_do)}")
    if not found.orders and not found.bad:
        output().print("It can be read; there are no further rows.")
    elif found.over:
        output().print("There are no further rows.")


def _new_shape(order: NewOrder) -> dict[str, object]:
    known = TrackedOrder(
        order.entity, order.service, order.parameters, order.placed_at, SystemClock().now(), order.label,
        order.source, None, order.entity, 0,
    )  # fmt: skip
    wanted = ("order", "panel", "service", "parameters", "label", "placed_at")
    return {name: value for name, value in order_shape(known).items() if name in wanted}


@source.command("bad")
@click.argument("name", metavar="NAME")
@config_option
@json_option
@asynchronous
async def bad(name: str, config_path: Path | None, as_json: bool) -> None:
    """The rows of a source that were no orders, the latest first, with what is wrong with each.

    A row that has been mended since is gone from here once it was read again.
    """
    configuration = read_configuration(config_path)
    settings = _settings(name, configuration)
    async with open_existing(configuration) as ledger:
        rows = await ledger.bad_rows(settings.name, _BAD_SHOWN)
    if as_json:
        print_json([{"row": row.name, "what": row.what, "to_do": row.to_do, "at": row.at} for row in rows])
        return
    if not rows:
        output().print("There are none.")
        return
    table = new_table("row", "read", "what is wrong")
    for row in rows:
        table.add_row(safe(row.name), moment(row.at), safe(f"{row.what}. {row.to_do}"))
    print_table(table)


@source.command("reset")
@click.argument("name", metavar="NAME")
@config_option
@json_option
@asynchronous
async def reset(name: str, config_path: Path | None, as_json: bool) -> None:
    """Read a source anew from its `start`: after another query, database or watermark was given to it.

    That does no harm: a known order is left as it is, and one that was forgotten stays so.
    """
    configuration = read_configuration(config_path)
    settings = _settings(name, configuration)
    async with open_ledger(configuration) as ledger:
        standing = await ledger.set_source_back(settings.name, "", SystemClock().now())
    if as_json:
        print_json(_shape(settings, standing))
        return
    output().print(f"Source {safe(name)} is read anew from its start, at once where a daemon runs.")


def _settings(name: str, configuration: Configuration) -> SqlSourceSettings:
    """The source of that name; `Stop` says which there are."""
    names = [one.name for one in configuration.intake.sql]
    for one in configuration.intake.sql:
        if one.name == name:
            return one
    way_out = did_you_mean(name, names) or f"Configured: {', '.join(names) or 'none'}."
    raise Stop(
        f'There is no source "{name}" in the configuration (intake: {{sql: …}}). {way_out}', Exit.USAGE
    )
