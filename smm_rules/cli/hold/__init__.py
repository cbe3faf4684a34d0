"""`smm-rules hold`: the ledger may have forgotten what was done, and waits for the operator."""

from __future__ import annotations

import click

from smm_rules.cli.group import Group
from smm_rules.cli.hold.confirming import confirm
from smm_rules.cli.hold.showing import show

__all__ = ["command"]


@click.group("hold", cls=Group)
def command() -> None:
    """After a ledger was put back from a copy: what may have been forgotten, and when to act again."""


for _member in (show, confirm):
    command.add_command(_member)
