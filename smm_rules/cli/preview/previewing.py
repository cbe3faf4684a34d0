"""`smm-rules preview RULE`: each message and call as it would be sent."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration, rule_paths
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.explain.explaining import rule_named
from smm_rules.cli.naming import default_panel, panel_option, panels_of
from smm_rules.cli.preview.show import preview_shape, show
from smm_rules.cli.preview.suppose import supposed
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import print_json
from smm_rules.cli.things import thing_named
from smm_rules.clock import SystemClock
from smm_rules.config.model import Configuration
from smm_rules.explanation.gathering import standing_of
from smm_rules.explanation.preview import Preview, preview
from smm_rules.facts import EntityKind
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import Rule
from smm_rules.rules.scope import scope_of

_WHOLE = (EntityKind.BALANCE, EntityKind.PANEL)


@click.command("preview")
@click.argument("rule", metavar="RULE")
@click.option("--order", metavar="ORDER", help="Preview it for a known order: 1234, or PANEL/1234.")
@click.option("--entity", metavar="ENTITY", help="Or for another thing: balance/main, service/main/12, …")
@click.option(
    "--given",
    metavar="FACTS",
    help="Or on supposed facts: 'status=Partial remains=157 service.refill=true', or a YAML file.",
)
@panel_option
@config_option
@json_option
@asynchronous
async def preview_command(
    rule: str,
    order: str | None,
    entity: str | None,
    given: str | None,
    panel: str | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Show what a rule would send, exactly as it would be sent, without sending anything.

    Messages are filled in; actions are checked like the daemon does, against the catalogue and the balance
    that were last read, and show the call's parameters and what it costs. Secrets are left out.
    """
    if sum(text is not None for text in (order, entity, given)) > 1:
        raise click.UsageError("Give one of --order, --entity and --given")
    configuration = read_configuration(config_path)
    named = rule_named(rule, load_rules(rule_paths(configuration), scope_of(configuration)).rules)
    if given is not None:
        seen = await _supposed(named, given, panel, configuration)
    else:
        seen = await _known(named, order, entity, panel, configuration)
    if as_json:
        print_json(preview_shape(seen, configuration.channels))
    else:
        show(seen, configuration.channels)


async def _supposed(rule: Rule, given: str, panel: str | None, configuration: Configuration) -> Preview:
    name = default_panel(panel, configuration) or panels_of(configuration)[0]
    world = supposed(given, rule.watch, name, SystemClock().now())
    return await preview(rule, world.standing(), world)


async def _known(
    rule: Rule, order: str | None, entity: str | None, panel: str | None, configuration: Configuration
) -> Preview:
    if order is not None and rule.watch is not EntityKind.ORDER:
        raise Stop(f"Rule {rule.name} watches {rule.watch}s: use --entity or --given.", Exit.USAGE)
    text = order or entity or _only_thing(rule, panel, configuration)
    async with open_existing(configuration) as ledger:
        named = await thing_named(text, rule.watch, panel, configuration, ledger)
        if named.kind is not rule.watch:
            raise Stop(f"Rule {rule.name} watches {rule.watch}s, and {named} is none.", Exit.USAGE)
        standing = await standing_of(ledger, named, SystemClock().now())
        if standing.seen_at is None:
            raise Stop(f"{named} has not been read yet: suppose its facts with --given.")
        return await preview(rule, standing, ledger)


def _only_thing(rule: Rule, panel: str | None, configuration: Configuration) -> str:
    """A balance or panel needs no name where there is one panel."""
    name = default_panel(panel, configuration)
    if rule.watch in _WHOLE and name is not None:
        return name
    raise Stop("Say for what: --order ORDER, --entity ENTITY or --given FACTS.", Exit.USAGE)
