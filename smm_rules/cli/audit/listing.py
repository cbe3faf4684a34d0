"""`smm-rules audit list`: decisions, the newest last."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import click

from smm_rules.cli.audit.asked import entries, query, query_options
from smm_rules.cli.audit.words import sentence
from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration
from smm_rules.cli.shapes import moment
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, new_table, print_json, print_table, safe
from smm_rules.clock import SystemClock
from smm_rules.ledger.audit import AuditEntry


@click.command("list")
@query_options
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="At most so many, the newest; 0 for all.",
)
@config_option
@json_option
@asynchronous
async def list_entries(limit: int, config_path: Path | None, as_json: bool, **asked: Any) -> None:
    """List what was decided, by whom and when, the newest last."""
    configuration = read_configuration(config_path)
    wanted = query(configuration, SystemClock().now(), **asked)
    kept: deque[AuditEntry] = deque(maxlen=limit or None)
    count = 0
    async with open_existing(configuration) as ledger:
        async for entry in entries(ledger, wanted):
            kept.append(entry)
            count += 1
    if as_json:
        print_json([entry_shape(entry) for entry in kept])
        return
    if not kept:
        errors().print("No such entries.")
        return
    table = new_table("entry", "at", "by", "about", "what")
    table.columns[0].justify = "right"
    for entry in kept:
        table.add_row(
            str(entry.id), moment(entry.at), safe(entry.by), safe(entry.subject), safe(sentence(entry))
        )
    print_table(table)
    if count > len(kept):
        errors().print(f"There are {count - len(kept):,} older ones: --limit 0 shows all.")


def entry_shape(entry: AuditEntry) -> dict[str, object]:
    """An entry for scripts."""
    return {
        "id": entry.id,
        "at": entry.at,
        "kind": entry.kind,
        "by": entry.by,
        "subject": entry.subject,
        "data": entry.data,
        "hash": entry.hash,
    }
