"""`smm-rules outbox list`: messages, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration
from smm_rules.cli.shapes import ago, message_shape
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, new_table, print_json, print_table, safe
from smm_rules.clock import SystemClock
from smm_rules.ledger.records import MessageState, QueuedMessage

_STYLES = {
    MessageState.DEAD: "bold red",
    MessageState.DELIVERED: "green",
    MessageState.DROPPED: "dim",
    MessageState.SUPPRESSED: "dim",
}
_UNLIMITED = 2**62


@click.command("list")
@click.option("--dead", is_flag=True, help="Only those that were given up: their channel never took them.")
@click.option(
    "--state",
    "states",
    type=click.Choice([state.value for state in MessageState], case_sensitive=False),
    multiple=True,
    help="Only those in this state; may be repeated.",
)
@click.option(
    "--limit", type=click.IntRange(min=0), default=50, show_default=True, help="At most so many; 0 for all."
)
@config_option
@json_option
@asynchronous
async def list_messages(
    dead: bool, states: Sequence[str], limit: int, config_path: Path | None, as_json: bool
) -> None:
    """List messages, the newest first: --dead are those that no channel took. JSON has what they say."""
    configuration = read_configuration(config_path)
    asked = [MessageState(state) for state in states] + ([MessageState.DEAD] if dead else [])
    async with open_existing(configuration) as ledger:
        found = await ledger.messages(asked, limit + 1 if limit else _UNLIMITED)
    shown = found[:limit] if limit else found
    if as_json:
        print_json([message_shape(message) for message in shown])
        return
    if not shown:
        errors().print("No such messages.")
        return
    _show(shown, SystemClock().now())
    if len(found) > len(shown):
        errors().print(f"There are more: --limit {limit * 10} shows more, --limit 0 all.")
    if any(message.state is MessageState.DEAD for message in shown):
        errors().print("To have dead ones delivered after all: smm-rules outbox retry ID…, or --all-dead.")


def _show(messages: Sequence[QueuedMessage], now: datetime) -> None:
    table = new_table("id", "state", "channel", "says", "queued", "failures", "why")
    table.columns[0].justify = "right"
    for message in messages:
        style = _STYLES.get(message.state)
        table.add_row(
            str(message.id),
            f"[{style}]{message.state}[/]" if style else message.state,
            safe(message.channel or "log"),
            safe(message.title or message.body),
            f"{ago(message.created_at, now)} ago",
            str(message.attempts) if message.attempts else "",
            safe(message.last_error or message.why.replace("_", " ")),
        )
    print_table(table)
