"""`smm-rules ledger`: the ledger as a whole."""

from __future__ import annotations

import click

from smm_rules.cli.group import Group
from smm_rules.cli.ledger.migrating import migrate

__all__ = ["command"]


@click.group("ledger", cls=Group)
def command() -> None:
    """Move the ledger from its file into a PostgreSQL database."""


command.add_command(migrate)
