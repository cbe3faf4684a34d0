"""`smm-rules orders show`: all that is known of one order."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    read_configuration,
)
from smm_rules.cli.exits import Stop
from smm_rules.cli.memories import memory_shape, state_in_words
from smm_rules.cli.naming import entities, panel_option
from smm_rules.cli.pairs import print_pairs
from smm_rules.cli.shapes import intent_shape, moment, order_shape, until
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import new_table, output, plain, print_json, print_table, safe
from smm_rules.clock import SystemClock
from smm_rules.facts import Entity
from smm_rules.intake import Unacceptable
from smm_rules.ledger.records import Observation, Watched
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.standing.orders import Known, known_of


@click.command("show")
@click.argument("order", metavar="ORDER")
@panel_option
@click.option(
    "--history", "last", type=click.IntRange(0, 10_000), default=10, show_default=True, metavar="N",
    help="How many of the last observations.",
)  # fmt: skip
@config_option
@json_option
@asynchronous
async def show(order: str, panel: str | None, last: int, config_path: Path | None, as_json: bool) -> None:
    """Show an order (1234, or PANEL/1234): facts, chain, history, what rules remember, intents."""
    configuration = read_configuration(config_path)
    named = entities([order], panel, configuration)
    if len(named) != 1:
        raise Unacceptable(f"{order!r} names {len(named)} orders", "Give one")
    async with open_existing(configuration) as ledger:
        known = await _read(ledger, named[0], last)
    if as_json:
        print_json(_shape(known))
    else:
        _show(known, SystemClock().now())


async def _read(ledger: SqlLedger, entity: Entity, last: int) -> Known:
    known = await known_of(ledger, entity, last, SystemClock().now())
    if known is None:
        name = f"{entity.panel}/{entity.id}"
        raise Stop(f"Order {name} isn't known. To watch it: smm-rules orders track {name}")
    return known


def _shape(known: Known) -> dict[str, object]:
    watched = known.watched
    return {
        **order_shape(known.order),
        "watched": watched is not None,
        "facts": watched.facts if watched else {},
        "first_seen_at": watched.first_seen_at if watched else None,
        "last_seen_at": watched.last_seen_at if watched else None,
        "due_at": watched.due_at if watched else None,
        "children": known.children,
        "history": [{"at": seen.at, "facts": seen.facts} for seen in known.history],
        "memories": [memory_shape(rule, memory) for rule, memory in sorted(known.memories.items())],
        "intents": [intent_shape(intent) for intent in known.intents],
    }


def _show(known: Known, now: datetime) -> None:
    order, watched = known.order, known.watched
    console = output()
    console.print(f"[bold]Order {safe(order.entity.id)} on {safe(order.entity.panel)}[/]")
    print_pairs(
        {
            "service": order.service or "not known",
            **order.parameters,
            "label": order.label,
            "source": f"{order.source}, {moment(order.tracked_at)}",
            "placed": moment(order.placed_at, "not known when"),
            "seen": _seen(watched, now),
            "refills accepted": str(order.refills) if order.refills else "",
            **_chain(known),
        }
    )
    if watched is not None and watched.facts:
        console.print("\n[bold]Facts[/]")
        print_pairs({name: str(plain(value)) for name, value in watched.facts.items()})
    if known.history:
        console.print("\n[bold]Last observations[/]")
        _observations(known.history)
    if known.memories:
        console.print("\n[bold]Rules[/]")
        print_pairs({rule: state_in_words(memory) for rule, memory in sorted(known.memories.items())})
    if known.intents:
        console.print("\n[bold]Intents[/] (smm-rules intents show ID)")
        table = new_table("id", "action", "state", "rule", "planned", "result")
        for intent in known.intents:
            result = intent.result or intent.message or intent.reason
            table.add_row(
                str(intent.id), intent.kind, intent.state, safe(intent.rule), moment(intent.planned_at),
                safe(result),
            )  # fmt: skip
        print_table(table)


def _seen(watched: Watched | None, now: datetime) -> str:
    if watched is None:
        return "forgotten: it is no longer looked at"
    seen = moment(watched.last_seen_at, "not yet")
    look = "settled, not looked at any more" if watched.due_at is None else until(watched.due_at, now)
    return f"{seen}; next look: {look}"


def _chain(known: Known) -> dict[str, str]:
    order = known.order
    chain: dict[str, str] = {}
    if order.parent is not None:
        chain["reorder of"] = f"{order.parent.panel}/{order.parent.id}"
        chain["chain"] = f"number {order.depth} after {order.root.panel}/{order.root.id}"
    if known.children:
        chain["reordered as"] = ", ".join(f"{child.panel}/{child.id}" for child in known.children)
    return chain


#: What an observation is told apart by; the rest of the facts is with `--json`.
_TELLING = ("status", "remains", "charge", "start_count", "error")


def _observations(history: tuple[Observation, ...]) -> None:
    columns = [name for name in _TELLING if any(seen.facts.get(name, "") != "" for seen in history)]
    table = new_table("  at", *(name.replace("_", " ") for name in columns))
    for seen in history:
        cells = (safe(plain(seen.facts.get(name, ""))) for name in columns)
        table.add_row(f"  {moment(seen.at)}", *cells)
    print_table(table)
