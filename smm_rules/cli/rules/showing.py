"""`smm-rules rules show`."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.context import config_option
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.rules.reading import chosen_rules
from smm_rules.cli.terminal import output, safe
from smm_rules.document import did_you_mean
from smm_rules.rules.words import in_words


@click.command("show")
@click.argument("name")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@config_option
def show_rule(name: str, paths: tuple[Path, ...], config_path: Path | None) -> None:
    """Tell rule NAME in words, with everything that is left to defaults."""
    rules = chosen_rules(paths, config_path)
    rule = rules.named(name)
    if rule is None:
        known = [each.name for each in rules.rules]
        listed = f"There are {', '.join(known)}." if known else "There are none."
        raise Stop(f'There is no rule "{name}". {did_you_mean(name, known) or listed}', Exit.FAILED)
    console = output()
    place = f" ({rule.position.file}:{rule.position.line})" if rule.position else ""
    console.print(f"[bold]{safe(rule.name)}[/]{safe(place)}")
    if rule.description:
        console.print(safe(rule.description))
    console.print()
    for line in in_words(rule):
        console.print(safe(line))
