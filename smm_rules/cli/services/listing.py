"""`smm-rules services list`: what panels offer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration
from smm_rules.cli.naming import known_panel, panels_of
from smm_rules.cli.services.prices import read_price
from smm_rules.cli.services.shapes import service_shape
from smm_rules.cli.shapes import ago
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, new_table, print_json, print_table, safe
from smm_rules.clock import SystemClock
from smm_rules.history.catalogues import currency_of, services, stale_catalogues
from smm_rules.history.changes import natural
from smm_rules.history.wanted import Price, Wanted
from smm_rules.history.words import FLAGS, written
from smm_rules.ledger.records import Watched
from smm_rules.ledger.sql.ledger import SqlLedger

_SORTS = ("id", "rate", "name", "changed")


@dataclass(frozen=True, slots=True)
class _Found:
    service: Watched
    currency: str | None


@click.command("list")
@click.argument("words", metavar="[WORD]...", nargs=-1)
@click.option("--panel", "-p", metavar="PANEL", help="Only those of this panel.")
@click.option("--type", "type_", metavar="TYPE", help='Only those of this type, like "Custom Comments".')
@click.option("--category", metavar="TEXT", help="Only those with this in their category.")
@click.option("--quantity", type=click.IntRange(min=1), metavar="N", help="Only those that sell so many.")
@click.option(
    "--max-rate", "dearest", metavar="PRICE", callback=read_price,
    help='Only those that cost at most this for 1000 in their panel\'s currency, or in that of "1.50 USD".',
)  # fmt: skip
@click.option("--refill", is_flag=True, help="Only those with refills.")
@click.option("--cancel", is_flag=True, help="Only those that can be canceled.")
@click.option("--dripfeed", is_flag=True, help="Only those with drip-feed.")
@click.option("--gone", is_flag=True, help="Those no longer offered instead.")
@click.option("--sort", type=click.Choice(_SORTS), default="id", show_default=True, help="In this order.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=50, show_default=True, help="At most so many; 0 for all."
)
@config_option
@json_option
@asynchronous
async def list_services(
    words: tuple[str, ...],
    panel: str | None,
    type_: str | None,
    category: str | None,
    quantity: int | None,
    dearest: Price | None,
    refill: bool,
    cancel: bool,
    dripfeed: bool,
    gone: bool,
    sort: str,
    limit: int,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """List the services of panels, as their catalogues were read last.

    With WORDs: those that have all of them in their ID, name or category. Prices are in each panel's own
    currency; sorted by rate, those of each currency stand together, for nothing is converted.
    """
    configuration = read_configuration(config_path)
    panels = panels_of(configuration) if panel is None else [known_panel(panel, configuration)]
    wanted = Wanted(words, type_, category, quantity, dearest, refill, cancel, dripfeed, gone)
    now = SystemClock().now()
    async with open_existing(configuration) as ledger:
        found = await _found(ledger, panels, wanted)
        warnings = await stale_catalogues(ledger, configuration, panels, now)
    found.sort(key=_KEYS[sort])
    shown = found[:limit] if limit else found
    if as_json:
        print_json([service_shape(one.service, one.currency) for one in shown])
    elif shown:
        _show(shown, now)
    for warning in warnings:
        errors().print(f"[yellow]{safe(warning)}[/]")
    if not found and not as_json:
        errors().print("No such services.")
    if len(shown) < len(found) and not as_json:
        left = len(found) - len(shown)
        errors().print(f"There {'is' if left == 1 else 'are'} {left:,} more: --limit 0 shows all.")


async def _found(ledger: SqlLedger, panels: list[str], wanted: Wanted) -> list[_Found]:
    found = []
    for panel in panels:
        currency = await currency_of(ledger, panel)
        async for service in services(ledger, panel):
            if wanted.includes(service.facts, currency):
                found.append(_Found(service, currency))
    return found


def _by_id(found: _Found) -> tuple[object, ...]:
    return found.service.entity.panel, natural(found.service.entity.id)


def _by_rate(found: _Found) -> tuple[object, ...]:
    rate = found.service.facts.get("rate")
    known = isinstance(rate, Decimal)
    return found.currency or "", not known, rate if known else 0, *_by_id(found)


def _by_name(found: _Found) -> tuple[object, ...]:
    return str(found.service.facts.get("name", "")).casefold(), *_by_id(found)


def _by_change(found: _Found) -> tuple[object, ...]:
    changed_at = found.service.facts.get("changed_at")
    since = -changed_at.timestamp() if isinstance(changed_at, datetime) else 0.0
    return since, *_by_id(found)


_KEYS = {"id": _by_id, "rate": _by_rate, "name": _by_name, "changed": _by_change}


def _show(found: list[_Found], now: datetime) -> None:
    table = new_table("service", "rate", "", "min", "max", "type", "offers", "changed", "name", "category")
    for number in (1, 3, 4):
        table.columns[number].justify = "right"
    for one in found:
        facts = one.service.facts
        changed_at = facts.get("changed_at")
        table.add_row(
            safe(f"{one.service.entity.panel}/{one.service.entity.id}"),
            safe(written(facts.get("rate"))),
            safe(one.currency or ""),
            safe(facts.get("min", "")),
            safe(facts.get("max", "")),
            safe(facts.get("type", "")),
            " ".join(word for flag, word in FLAGS.items() if facts.get(flag) is True),
            f"{ago(changed_at, now)} ago" if isinstance(changed_at, datetime) else "",
            safe(facts.get("name", "")),
            safe(facts.get("category", "")),
        )
    print_table(table)
