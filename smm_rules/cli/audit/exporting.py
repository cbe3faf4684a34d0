"""`smm-rules audit export`: the record as CSV or JSON Lines."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click

from smm_rules.cli.audit.asked import entries, query, query_options
from smm_rules.cli.audit.words import sentence
from smm_rules.cli.context import asynchronous, config_option, read_configuration
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors
from smm_rules.clock import SystemClock
from smm_rules.ledger.audit import AuditEntry
from smm_rules.ledger.codec import to_canonical_json, to_micros
from smm_rules.observe.render import escaped

_COLUMNS = ("id", "at", "kind", "by", "subject", "what", "data", "hash")
#: A spreadsheet would take a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@click.command("export")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["csv", "jsonl"]),
    default="jsonl",
    show_default=True,
    help="CSV for a spreadsheet; JSON Lines hold all that is needed to verify the chain.",
)
@click.option(
    "--output",
    "-o",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this file, readable by you alone. Default: standard output.",
)
@query_options
@config_option
@asynchronous
async def export(format_name: str, path: Path | None, config_path: Path | None, **asked: Any) -> None:
    """Write the record out, the oldest entry first."""
    configuration = read_configuration(config_path)
    wanted = query(configuration, SystemClock().now(), **asked)
    count = 0
    async with open_existing(configuration) as ledger:
        with _opened(path) as file:
            write = _csv(file) if format_name == "csv" else _jsonl(file)
            async for entry in entries(ledger, wanted):
                write(entry)
                count += 1
    if path is not None:
        errors().print(f"{count:,} entries written to {path}.")


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8", newline="") as file:
        yield file


def _jsonl(file: TextIO) -> Callable[[AuditEntry], None]:
    def write(entry: AuditEntry) -> None:
        line = {
            "id": entry.id,
            "at": entry.at.isoformat(),
            "at_micros": to_micros(entry.at),
            "kind": entry.kind,
            "by": entry.by,
            "subject": entry.subject,
            "data": json.loads(to_canonical_json(entry.data)),
            "hash": entry.hash,
        }
        file.write(escaped(json.dumps(line, ensure_ascii=False)) + "\n")

    return write


def _csv(file: TextIO) -> Callable[[AuditEntry], None]:
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)

    def write(entry: AuditEntry) -> None:
        cells = (entry.kind, entry.by, entry.subject, sentence(entry), to_canonical_json(entry.data))
        writer.writerow((entry.id, entry.at.isoformat(), *map(_cell, cells), entry.hash))

    return write


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
