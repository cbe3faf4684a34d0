"""`smm-rules outbox`: messages that wait, that were delivered, and that no channel took."""

from __future__ import annotations

import click

from smm_rules.cli.group import Group
from smm_rules.cli.outbox.listing import list_messages
from smm_rules.cli.outbox.settling import drop, retry

__all__ = ["command"]


@click.group("outbox", cls=Group)
def command() -> None:
    """Messages to your channels: what waits to be delivered, and what was given up."""


for _member in (list_messages, retry, drop):
    command.add_command(_member)
