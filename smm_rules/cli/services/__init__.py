"""`smm-rules services`: what panels offer."""

from __future__ import annotations

import click

from smm_rules.cli.group import Group
from smm_rules.cli.services.differing import diff
from smm_rules.cli.services.listing import list_services
from smm_rules.cli.services.matching import match
from smm_rules.cli.services.past import history
from smm_rules.cli.services.showing import show

__all__ = ["command"]


@click.group("services", cls=Group)
def command() -> None:
    """What panels offer, as their catalogues were read last, what changed of it, and what is equal."""


for _member in (list_services, show, diff, history, match):
    command.add_command(_member)
