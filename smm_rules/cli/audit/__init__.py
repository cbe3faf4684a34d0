"""`smm-rules audit`: the record of decisions."""

from __future__ import annotations

import click

from smm_rules.cli.audit.exporting import export
from smm_rules.cli.audit.listing import list_entries
from smm_rules.cli.audit.showing import show
from smm_rules.cli.audit.verifying import verify
from smm_rules.cli.group import Group

__all__ = ["command"]


@click.group("audit", cls=Group)
def command() -> None:
    """The record of decisions: who or what decided, on which facts, by which rule text, with which result."""


for _member in (list_entries, show, verify, export):
    command.add_command(_member)
