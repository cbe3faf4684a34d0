"""`smm-rules orders`: what is watched."""

from __future__ import annotations

import click

from smm_rules.cli.group import Group
from smm_rules.cli.orders.forgetting import forget
from smm_rules.cli.orders.importing import import_file
from smm_rules.cli.orders.listing import list_orders
from smm_rules.cli.orders.placing import place
from smm_rules.cli.orders.showing import show
from smm_rules.cli.orders.sources import source
from smm_rules.cli.orders.tracking import track

__all__ = ["command"]


@click.group("orders", cls=Group)
def command() -> None:
    """What is watched: place an order, or tell of orders placed elsewhere; list, show and forget them.

    The API can't list orders, so the daemon must be told of them.
    """


for _member in (place, track, import_file, list_orders, show, forget, source):
    command.add_command(_member)
