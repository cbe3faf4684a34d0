"""`smm-rules rules list`."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.context import config_option, json_option
from smm_rules.cli.rules.reading import chosen_rules
from smm_rules.cli.terminal import new_table, output, print_json, print_table, safe
from smm_rules.facts import format_duration
from smm_rules.rules.model import Limits, Rule


@click.command("list")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@config_option
@json_option
def list_rules(paths: tuple[Path, ...], config_path: Path | None, as_json: bool) -> None:
    """List the rules of the configuration, or those in PATHS."""
    rules = chosen_rules(paths, config_path).rules
    if as_json:
        print_json([_as_json(rule) for rule in rules])
        return
    if not rules:
        output().print("There are no rules.")
        return
    table = new_table("NAME", "WATCHES", "ACTS", "LIMIT", "PANELS", "FILE", whole=("NAME", "FILE"))
    for rule in rules:
        acts = ", ".join(_actions(rule)) or "-"
        panels = ", ".join(sorted(rule.panels)) if rule.panels else "all"
        table.add_row(rule.name, rule.watch, acts, limit_text(rule.limit) or "-", panels, safe(_place(rule)))
    print_table(table)


def _actions(rule: Rule) -> list[str]:
    """What the rule asks of panels, each kind once, in order."""
    steps = (*rule.do, *rule.otherwise)
    return list(dict.fromkeys(step.kind.value for step in steps if step.acts))


def limit_text(limit: Limits) -> str:
    """A rule's limits in one cell of a table."""
    told = [f"{limit.per_order}/order"] if limit.per_order is not None else []
    told += [f"every {format_duration(limit.every)}"] if limit.every is not None else []
    told += [f"{limit.per_chain}/chain"] if limit.per_chain is not None else []
    told += [f"{limit.per_sweep}/sweep"] if limit.per_sweep is not None else []
    return ", ".join(told)


def _place(rule: Rule) -> str:
    return f"{rule.position.file}:{rule.position.line}" if rule.position else ""


def _as_json(rule: Rule) -> dict[str, object]:
    limit = rule.limit
    return {
        "name": rule.name,
        "description": rule.description,
        "watch": rule.watch,
        "acts": _actions(rule),
        "limit": {
            "per_order": limit.per_order,
            "every": limit.every,
            "per_chain": limit.per_chain,
            "per_sweep": limit.per_sweep,
        },
        "panels": sorted(rule.panels) if rule.panels else None,
        "version": rule.version,
        "file": rule.position.file if rule.position else None,
        "line": rule.position.line if rule.position else None,
    }
