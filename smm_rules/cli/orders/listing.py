"""`smm-rules orders list`: the watched orders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    read_configuration,
)
from smm_rules.cli.naming import panel_option
from smm_rules.cli.shapes import ago, until, watched_shape
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, new_table, print_json, print_json_line, print_table, safe
from smm_rules.clock import SystemClock
from smm_rules.facts import Entity, EntityKind, order_status
from smm_rules.ledger.records import Watched
from smm_rules.ledger.sql.ledger import SqlLedger

_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders are asked for; None stands for any."""

    panel: str | None
    status: str | None
    service: str | None
    due_by: datetime | None

    def includes(self, order: Watched) -> bool:
        """Whether this order is among them."""
        if self.status is not None and order.facts.get("status", "") != self.status:
            return False
        if self.service is not None and (order.order is None or order.order.service != self.service):
            return False
        return self.due_by is None or (order.due_at is not None and order.due_at <= self.due_by)


@click.command("list")
@panel_option
@click.option("--status", metavar="STATUS", help='Only those in this status, like Partial; "" for none yet.')
@click.option("--service", "-s", metavar="SERVICE", help="Only those of this service.")
@click.option("--due", is_flag=True, help="Only those that are to be looked at by now.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=50, show_default=True, help="At most so many; 0 for all."
)
@config_option
@json_option
@click.option("--jsonl", is_flag=True, help="Write one JSON object a line, as they are read.")
@asynchronous
async def list_orders(
    panel: str | None,
    status: str | None,
    service: str | None,
    due: bool,
    limit: int,
    config_path: Path | None,
    as_json: bool,
    jsonl: bool,
) -> None:
    """List the watched orders with what is known of them."""
    if as_json and jsonl:
        raise click.UsageError("--json and --jsonl can't be given together")
    configuration = read_configuration(config_path)
    now = SystemClock().now()
    wanted = Wanted(panel, None if status is None else order_status(status), service, now if due else None)
    async with open_existing(configuration) as ledger:
        found = _found(ledger, wanted)
        if jsonl:
            await _write_lines(found, limit)
            return
        orders, more = await _taken(found, limit)
    if as_json:
        print_json([watched_shape(order) for order in orders])
    elif orders:
        _show(orders, now)
    else:
        errors().print("No such orders. Tell of more with `smm-rules orders track` or `orders import`.")
    if more and not as_json:
        errors().print(f"There are more: --limit {limit * 10} shows more, --limit 0 all.")


async def _found(ledger: SqlLedger, wanted: Wanted) -> AsyncIterator[Watched]:
    """Page by page, so that a million orders cost no memory."""
    after: Entity | None = None
    while page := await ledger.watched_page(EntityKind.ORDER, wanted.panel, after, _PAGE):
        for order in page:
            if wanted.includes(order):
                yield order
        after = page[-1].entity


async def _taken(found: AsyncIterator[Watched], limit: int) -> tuple[list[Watched], bool]:
    """The first of them, and whether there are more."""
    orders: list[Watched] = []
    async for order in found:
        if limit and len(orders) == limit:
            return orders, True
        orders.append(order)
    return orders, False


async def _write_lines(found: AsyncIterator[Watched], limit: int) -> None:
    written = 0
    async for order in found:
        if limit and written == limit:
            return
        print_json_line(watched_shape(order))
        written += 1


def _show(orders: list[Watched], now: datetime) -> None:
    table = new_table("order", "status", "remains", "service", "seen", "next look", "label")
    table.columns[2].justify = "right"
    for watched in orders:
        order, facts = watched.order, watched.facts
        table.add_row(
            safe(f"{watched.entity.panel}/{watched.entity.id}"),
            safe(facts.get("error") or facts.get("status", "not seen yet")),
            safe(facts.get("remains", "")),
            safe((order.service if order else None) or ""),
            f"{ago(watched.last_seen_at, now)} ago" if watched.last_seen_at else "",
            until(watched.due_at, now) if watched.due_at else "settled",
            safe(order.label if order else ""),
        )
    print_table(table)
