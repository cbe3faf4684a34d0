"""A service as named on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.naming import known_panel, panels_of
from smm_rules.config.model import Configuration
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Watched
from smm_rules.ledger.sql.ledger import SqlLedger

Decorated = Callable[..., Any]


def service_arguments(command: Decorated) -> Decorated:
    """The arguments that name a service."""
    for argument in (
        click.argument("service", metavar="[SERVICE]", required=False),
        click.argument("panel", metavar="PANEL"),
    ):
        command = argument(command)
    return command


def service_named(panel: str, service: str | None, configuration: Configuration) -> Entity:
    """The service written as `PANEL SERVICE` or `PANEL/SERVICE`; where there is one panel, as `SERVICE`."""
    if service is not None:
        return Entity(EntityKind.SERVICE, known_panel(panel, configuration), service)
    of_panel, slash, identifier = panel.partition("/")
    if slash and identifier:
        return Entity(EntityKind.SERVICE, known_panel(of_panel, configuration), identifier)
    panels = panels_of(configuration)
    if len(panels) == 1 and panel not in panels:
        return Entity(EntityKind.SERVICE, panels[0], panel)
    raise Stop(f"Which service? Write PANEL SERVICE, like `{panels[0]} 1234`.", Exit.USAGE)


async def must_know(ledger: SqlLedger, service: Entity) -> Watched:
    """The service, which the ledger must know."""
    found = await ledger.watched(service)
    if found is None:
        raise Stop(
            f"No catalogue of {service.panel} that was read had a service {service.id}. "
            f"What it has: smm-rules services list --panel {service.panel}"
        )
    return found
