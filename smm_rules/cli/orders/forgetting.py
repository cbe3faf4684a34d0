"""`smm-rules orders forget`: stop watching orders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from smm_rules.cli.asking import ask_first, yes_option
from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    operator_name,
    read_configuration,
)
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.naming import entities, panel_option
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.facts import Entity
from smm_rules.ledger.records import Intent
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.states import OPEN

_MANY = 100


@click.command("forget")
@click.argument("ids", nargs=-1, required=True, metavar="IDS…")
@panel_option
@click.option(
    "--force",
    is_flag=True,
    help="Also while an action about one is open: what is planned is then given up unsent, "
    "what is in doubt stays in doubt.",
)
@yes_option
@config_option
@json_option
@asynchronous
async def forget(
    ids: Sequence[str],
    panel: str | None,
    force: bool,
    yes: bool,
    config_path: Path | None,
    as_json: bool,
) -> int:
    """Stop watching orders and their refills. Nothing happens on the panel.

    Their history, what rules remember of them and their intents stay: tracked again, an order's limits still
    hold. Orders with an open action (planned, held, being sent, in doubt) are refused without --force, for
    rules no longer act on an order that is forgotten. Either all are forgotten or none.
    """
    configuration = read_configuration(config_path)
    named = entities(ids, panel, configuration)
    async with open_existing(configuration) as ledger:
        watched = [entity for entity in named if await ledger.watched(entity) is not None]
        if not force:
            await _refuse_open(ledger, watched)
        if watched:
            what = "this order" if len(watched) == 1 else f"these {len(watched)} orders"
            ask_first(f"Stop watching {what}?", yes)
        now, by = SystemClock().now(), operator_name()
        forgotten = [entity for entity in watched if await ledger.forget(entity, now, by)]
    strangers = [entity for entity in named if entity not in forgotten]
    if as_json:
        print_json({"forgotten": forgotten, "not_watched": strangers})
    else:
        output().print(f"{len(forgotten)} forgotten.")
        for entity in strangers:
            errors().print(f"{safe(f'{entity.panel}/{entity.id}')} wasn't watched.")
    return int(Exit.FAILED if strangers else Exit.DONE)


async def _refuse_open(ledger: SqlLedger, watched: Sequence[Entity]) -> None:
    open_ones: list[Intent] = []
    for entity in watched:
        open_ones += await ledger.intents(tuple(sorted(OPEN)), _MANY, entity=entity)
    if not open_ones:
        return
    listed = ", ".join(
        f"intent {intent.id} ({intent.kind} of {intent.entity.panel}/{intent.entity.id}, {intent.state})"
        for intent in open_ones[:5]
    )
    more = f" and {len(open_ones) - 5} more" if len(open_ones) > 5 else ""
    raise Stop(
        f"Nothing was forgotten, for an action is open: {listed}{more}. See `smm-rules intents show ID`, or "
        "say --force: what is planned is then given up unsent, what is in doubt stays in doubt."
    )
