"""`smm-rules explain RULE ENTITY` and `smm-rules explain order ID`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration, rule_paths
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.explain.moments import moment_gone_by
from smm_rules.cli.explain.shape import explanation_shape
from smm_rules.cli.explain.show import show, show_many
from smm_rules.cli.naming import panel_option
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, output, print_json
from smm_rules.cli.things import thing_named
from smm_rules.clock import SystemClock
from smm_rules.document import did_you_mean
from smm_rules.explanation.explain import explain
from smm_rules.explanation.gathering import records_of, standing_of
from smm_rules.explanation.model import Explanation
from smm_rules.facts import EntityKind
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import Rule, RuleSet
from smm_rules.rules.scope import scope_of
from smm_rules.standing.surroundings import surroundings


@click.command("explain")
@click.argument("words", metavar="[RULE] ENTITY", nargs=-1, required=True)
@panel_option
@click.option(
    "--at",
    "at",
    metavar="TIME",
    help="A moment gone by: 2026-03-01T14:30:00Z, or 2h for so long ago.",
)
@click.option("--verbose", "-v", is_flag=True, help="Every clause of every rule, not one line a rule.")
@config_option
@json_option
@asynchronous
async def explain_command(
    words: Sequence[str],
    panel: str | None,
    at: str | None,
    verbose: bool,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Say why a rule did or didn't act on something, clause by clause, and what would have to change.

    ENTITY is an order's ID, PANEL/ID, or KIND/PANEL[/ID] such as order/main/1234 or balance/main. Without
    a RULE, and as `explain order ID`, every rule is explained that watches it: one line each.
    """
    configuration = read_configuration(config_path)
    rules = load_rules(rule_paths(configuration), scope_of(configuration)).rules
    named, text = _parted(words, rules)
    now = SystemClock().now()
    moment = now if at is None else moment_gone_by(at, now)
    async with open_existing(configuration) as ledger:
        kind = EntityKind.ORDER if named is None else named.watch
        entity = await thing_named(text, kind, panel, configuration, ledger)
        standing = await standing_of(ledger, entity, moment, past=at is not None)
        stops, silences = await ledger.stops(), await ledger.silences()
        around = surroundings(configuration, await ledger.heartbeat(), standing, stops, silences)
        asked = [named] if named else [rule for rule in rules.rules if rule.watch is entity.kind]
        found = [
            explain(rule, standing, await records_of(ledger, rule.name, standing), around) for rule in asked
        ]
    if as_json:
        shapes = [explanation_shape(one) for one in found]
        print_json(shapes[0] if named else shapes)
    elif not found:
        errors().print(f"No rule watches {entity.kind}s.")
    else:
        _tell(found, verbose=verbose or named is not None)


def _tell(found: Sequence[Explanation], *, verbose: bool) -> None:
    if not verbose:
        show_many(found)
        return
    for index, one in enumerate(found):
        if index:
            output().print()
        show(one)


def _parted(words: Sequence[str], rules: RuleSet) -> tuple[Rule | None, str]:
    """The rule, None for all, and the text that names the entity."""
    if len(words) == 1:
        return None, words[0]
    if len(words) != 2:
        raise click.UsageError("Write explain RULE ENTITY, or explain order ID")
    first, text = words
    rule = rules.named(first)
    if rule is None and first == "order":
        return None, text
    return rule or rule_named(first, rules), text


def rule_named(name: str, rules: RuleSet) -> Rule:
    """The rule called `name`; `Stop` says which there are."""
    rule = rules.named(name)
    if rule is None:
        names = [one.name for one in rules.rules]
        way_out = did_you_mean(name, names) or f"There are: {', '.join(names) or 'none'}."
        raise Stop(f'There is no rule "{name}". {way_out}', Exit.USAGE)
    return rule
