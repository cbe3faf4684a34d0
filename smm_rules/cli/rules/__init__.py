"""`smm-rules rules`: the rules in force, listed and told in words, and new ones begun from the cookbook."""

from __future__ import annotations

import click

from smm_rules.cli.group import Group
from smm_rules.cli.rules.listing import list_rules
from smm_rules.cli.rules.new import new_rule
from smm_rules.cli.rules.showing import show_rule


@click.group("rules", cls=Group)
def command() -> None:
    """List rules, tell one in words, or begin a new one from a template."""


command.add_command(list_rules)
command.add_command(show_rule)
command.add_command(new_rule)
