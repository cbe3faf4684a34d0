"""`python -m smm_rules.cli.manual DIRECTORY`: write every manual page.

The pages carry the day in SOURCE_DATE_EPOCH, else today's, so that a build can be repeated.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import click

from smm_rules.cli.app import cli
from smm_rules.cli.manual import commands, configuration
from smm_rules.clock import SystemClock


def all_pages(date: str) -> Iterator[tuple[str, str]]:
    """File names and texts."""
    assert isinstance(cli, click.Group)
    yield from commands.pages(cli, date)
    schema = json.loads(resources.files("smm_rules.schemas").joinpath("config.json").read_text("utf-8"))
    yield f"{configuration.NAME}.5", configuration.page(schema, date)


def _date() -> str:
    given = os.environ.get("SOURCE_DATE_EPOCH")
    at = datetime.fromtimestamp(int(given), UTC) if given else SystemClock().now()
    return at.date().isoformat()


def main(directory: Path) -> None:
    """Write each page; tell where."""
    directory.mkdir(parents=True, exist_ok=True)
    names = []
    for name, text in all_pages(_date()):
        (directory / name).write_text(text, encoding="utf-8")
        names.append(name)
    print(f"wrote {len(names)} pages to {directory}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "dist/man"))
