"""`smm-rules orders track`: watch orders that were placed elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    open_ledger,
    operator_name,
    read_configuration,
)
from smm_rules.cli.naming import (
    entities,
    known_panel,
    merged,
    panel_option,
    panels_of,
    said,
    said_options,
    time_zone_option,
)
from smm_rules.cli.terminal import output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.document import did_you_mean
from smm_rules.facts import Entity
from smm_rules.intake import IntakeOptions, Unacceptable, order_named
from smm_rules.intake.columns import PARAMETERS
from smm_rules.ledger.records import NewOrder

#: By this a parameter is given that only some panel knows.
_FREE = "parameter."


@click.command("track")
@click.argument("ids", nargs=-1, required=True, metavar="IDS…")
@panel_option
@said_options
@click.option("--placed-at", metavar="TIME", help="When it was placed, like 2025-03-01T14:30:00+03:00.")
@time_zone_option
@config_option
@json_option
@asynchronous
async def track(
    ids: Sequence[str],
    panel: str | None,
    service: str | None,
    link: str | None,
    quantity: str | None,
    label: str | None,
    parameters: Sequence[tuple[str, str]],
    placed_at: str | None,
    time_zone: ZoneInfo | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Watch orders by the IDs the panel shows: 1234 1235, PANEL/1236, or lists like 1234,1235.

    What you say of them (--service, --link, …) holds for each of them; a reorder needs it. An order that is
    known already is left as it is. On a state that an order is already in when it is first seen, a rule
    doesn't act unless it says `first_seen: act`.
    """
    configuration = read_configuration(config_path)
    now = SystemClock().now()
    if panel is not None:
        known_panel(panel, configuration)
    named = entities(ids, panel, configuration)
    options = IntakeOptions(now, panels_of(configuration), time_zone=time_zone)
    given = said(service=service, link=link, quantity=quantity, label=label, placed_at=placed_at)
    words = merged(given, [(_parameter(name), text) for name, text in parameters])
    orders = [_new_order(entity, words, options) for entity in named]
    async with open_ledger(configuration) as ledger:
        added = await ledger.track(orders, now, operator_name())
    known = len(orders) - added
    if as_json:
        print_json({"added": added, "known": known})
        return
    output().print(f"{added} new, {known} known already.")
    if known and words:
        output().print(
            "What is known already stays as it was. To say it anew: "
            f"smm-rules orders forget {safe(_example(named))}, then track it again."
        )


def _new_order(entity: Entity, words: dict[str, str], options: IntakeOptions) -> NewOrder:
    return order_named(entity.id, words | {"panel": entity.panel}, options)


def _example(named: Sequence[Entity]) -> str:
    return f"{named[0].panel}/{named[0].id}"


def _parameter(name: str) -> str:
    """The name of a parameter as intake takes it."""
    if name in PARAMETERS or name.startswith(_FREE):
        return name
    way_out = did_you_mean(name, PARAMETERS)
    own = f"For one that only your panel knows, write {_FREE}{name}=…"
    raise Unacceptable(f'"{name}" is no parameter of an order', f"{way_out} {own}".strip())
