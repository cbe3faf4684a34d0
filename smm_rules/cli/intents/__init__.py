"""`smm-rules intents`: what was done, is held, or is in doubt."""

from __future__ import annotations

import click

from smm_rules.cli.group import Group
from smm_rules.cli.intents.listing import list_intents
from smm_rules.cli.intents.resolving import resolve
from smm_rules.cli.intents.showing import show
from smm_rules.cli.intents.verdicts import approve, deny

__all__ = ["command"]


@click.group("intents", cls=Group)
def command() -> None:
    """Actions on panels, as the ledger keeps them: what was done, is held, or is in doubt."""


for _member in (list_intents, show, approve, deny, resolve):
    command.add_command(_member)
