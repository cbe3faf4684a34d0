"""`smm-rules services show`: all that is known of one service."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration
from smm_rules.cli.pairs import print_pairs
from smm_rules.cli.services.naming import must_know, service_arguments, service_named
from smm_rules.cli.services.shapes import service_shape
from smm_rules.cli.shapes import moment
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import output, plain, print_json, safe
from smm_rules.facts import FIELDS, EntityKind
from smm_rules.history.catalogues import currency_of
from smm_rules.ledger.records import Watched

#: Facts in the panel's currency.
_MONEY = frozenset({"rate", "previous_rate"})


@click.command("show")
@service_arguments
@config_option
@json_option
@asynchronous
async def show(panel: str, service: str | None, config_path: Path | None, as_json: bool) -> None:
    """Show a service (PANEL SERVICE, or PANEL/SERVICE) with every fact that rules can read of it."""
    configuration = read_configuration(config_path)
    entity = service_named(panel, service, configuration)
    async with open_existing(configuration) as ledger:
        known = await must_know(ledger, entity)
        currency = await currency_of(ledger, entity.panel)
    if as_json:
        print_json(service_shape(known, currency))
    else:
        _show(known, currency)


def _show(known: Watched, currency: str | None) -> None:
    facts = known.facts
    title, name = f"Service {known.entity.id} on {known.entity.panel}", facts.get("name", "")
    output().print(f"[bold]{safe(title)}[/] {safe(name)}")
    if facts.get("gone") is True:
        changed_at = facts.get("changed_at")
        since = f" since {moment(changed_at)}" if isinstance(changed_at, datetime) else ""
        output().print(f"[red]No longer in the catalogue[/]{since}.")
    pairs = {
        name: str(plain(facts[name])) + (f" {currency}" if name in _MONEY and currency else "")
        for name in FIELDS[EntityKind.SERVICE]
        if name in facts
    }
    print_pairs({**pairs, "first seen": moment(known.first_seen_at), "last seen": moment(known.last_seen_at)})
    output().print(
        f"Its price over time: smm-rules services history {safe(known.entity.panel)} {safe(known.entity.id)}",
        style="dim",
    )
