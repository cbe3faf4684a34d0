"""Orders and what is said of them, as written on the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import click

from smm_rules.cli.exits import Exit, Stop
from smm_rules.config.model import Configuration
from smm_rules.document import did_you_mean
from smm_rules.facts import Entity
from smm_rules.intake import Unacceptable, order_entity

panel_option = click.option(
    "--panel", "-p", metavar="PANEL", help="The panel they are on; needn't be said where there is one only."
)

_BETWEEN = re.compile(r"[\s,;]+")


def panels_of(configuration: Configuration) -> list[str]:
    """The names of the configured panels, in the file's order."""
    return [panel.name for panel in configuration.panels]


def known_panel(name: str, configuration: Configuration) -> str:
    """`name`, if a panel of the configuration is called so; `Stop` says which there are."""
    panels = panels_of(configuration)
    if name in panels:
        return name
    way_out = did_you_mean(name, panels) or f"Configured: {', '.join(panels)}."
    raise Stop(f'There is no panel "{name}" in the configuration. {way_out}', Exit.USAGE)


def default_panel(given: str | None, configuration: Configuration) -> str | None:
    """The panel to stand in where none is named: the given one, else the only one there is."""
    if given is not None:
        return known_panel(given, configuration)
    panels = panels_of(configuration)
    return panels[0] if len(panels) == 1 else None


def entities(texts: Sequence[str], panel: str | None, configuration: Configuration) -> list[Entity]:
    """The orders named by `ID`, `PANEL/ID` or lists of them, each once, in order.

    A panel that has left the configuration may still be named: the ledger may know orders of it.
    """
    words = [word for text in texts for word in _BETWEEN.split(text) if word]
    if not words:
        raise Unacceptable("no order is named", "Give IDs like 1234, or PANEL/1234")
    candidates = [panel] if panel is not None else panels_of(configuration)
    found = [order_entity(word, candidates) for word in words]
    for entity in found:
        if panel is not None and entity.panel != panel:
            raise Unacceptable(f"{entity.panel}/{entity.id} is not on {panel}", "Leave --panel out")
    return list(dict.fromkeys(found))


def _time_zone(_: click.Context, __: click.Parameter, value: str | None) -> ZoneInfo | None:
    """The zone of that IANA name."""
    if value is None:
        return None
    try:
        return ZoneInfo(value)
    except (LookupError, ValueError, OSError):
        raise click.BadParameter(f"{value!r} is no time zone; write it like Europe/Berlin or UTC") from None


time_zone_option = click.option(
    "--time-zone",
    metavar="ZONE",
    callback=_time_zone,
    help="The zone of times that are written without one, like Europe/Berlin.",
)


def _assignments(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """The two sides of each `NAME=VALUE`."""
    sides = []
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{value!r} is not of the form NAME=VALUE")
        sides.append((name.strip(), text))
    return tuple(sides)


Decorated = Callable[..., Any]


def said_options(command: Decorated) -> Decorated:
    """The options by which the operator says what an order was, or is to be, placed with."""
    for option in (
        click.option(
            "--param",
            "parameters",
            metavar="NAME=VALUE",
            callback=_assignments,
            multiple=True,
            help="Another parameter of the order, such as comments=$'First\\nSecond'. May be repeated.",
        ),
        click.option("--label", metavar="TEXT", help="Your own text for it; rules can read it."),
        click.option("--quantity", metavar="N", help="How many."),
        click.option("--link", "-l", metavar="URL", help="The link it is for."),
        click.option("--service", "-s", metavar="SERVICE", help="The service's ID on the panel."),
    ):
        command = option(command)
    return command


def said(**given: str | None) -> dict[str, str]:
    """What was given, without what wasn't."""
    return {name: text for name, text in given.items() if text is not None}


def merged(given: dict[str, str], parameters: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Options and `--param`s together; `Unacceptable` when one name is given twice."""
    together = dict(given)
    for name, text in parameters:
        if name in together:
            raise Unacceptable(f'"{name}" is given twice', "Keep one of them")
        together[name] = text
    return together
