"""`smm-rules rules new`: a rule of one's own, begun from a rule of the cookbook."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.terminal import new_table, output, print_table, safe
from smm_rules.cli.writing import write_for_owner
from smm_rules.cookbook.recipes import Recipe, recipes
from smm_rules.document import DocumentError, did_you_mean, read_text, validate
from smm_rules.rules.schema import RuleSpec

#: Where `smm-rules init` puts the JSON Schema of rules, beside the configuration.
SCHEMA = Path(".smm-rules") / "rules.schema.json"


@click.command("new")
@click.argument("template", required=False)
@click.option("--name", help="The new rule's name. Default: the template's.")
@click.option(
    "--output", "-o", "path", type=click.Path(path_type=Path, dir_okay=False), help="The file to write."
)
@click.option("--list", "only_list", is_flag=True, help="List the templates.")
def new_rule(template: str | None, name: str | None, path: Path | None, only_list: bool) -> None:
    """Begin a rule from TEMPLATE, a rule of the cookbook with its tests.

    On a terminal it asks for what isn't given. Without --output the rule is printed.
    """
    known = recipes()
    asks = sys.stdin.isatty() and sys.stdout.isatty()
    if only_list:
        _print_list(known)
        return
    asked = template is None and asks
    if asked:
        _print_list(known)
        template = click.prompt("Begin from", type=click.Choice(sorted(known)), show_choices=False)
    recipe = _chosen(template, known)
    if asked:
        name = name or click.prompt("The rule's name", default=recipe.name)
        path = path or Path(click.prompt("The file to write", default=f"rules/{name}.yaml"))
    text = recipe.named(name or recipe.name, _schema_for(path))
    _refuse_bad_name(text)
    if path is None:
        click.echo(text, nl=False)
        return
    _write(path, text)
    output().print(f"wrote {safe(path)}\nNext: fit it to your panels and channels, then smm-rules check")


def _print_list(known: dict[str, Recipe]) -> None:
    table = new_table("TEMPLATE", "FOR")
    for recipe in known.values():
        table.add_row(recipe.name, safe(recipe.description))
    print_table(table)


def _chosen(template: str | None, known: dict[str, Recipe]) -> Recipe:
    if template is None:
        raise click.UsageError("Name a template; smm-rules rules new --list shows them.")
    if template not in known:
        near = did_you_mean(template, known) or "smm-rules rules new --list shows them."
        raise click.UsageError(f'There is no template "{template}". {near}')
    return known[template]


def _refuse_bad_name(text: str) -> None:
    try:
        validate(read_text(text, Path("new.yaml")), RuleSpec, ("rules", 0))
    except DocumentError as error:
        raise click.UsageError(error.problems[0].message) from None


def _schema_for(path: Path | None) -> str:
    """The way from a new file to the schema that `init` wrote beside it or above it, empty without one."""
    directory = path.absolute().parent if path is not None else None
    for above in (directory, *directory.parents[:2]) if directory is not None else ():
        if (above / SCHEMA).is_file():
            return Path(os.path.relpath(above / SCHEMA, directory)).as_posix()
    return ""


def _write(path: Path, text: str) -> None:
    try:
        write_for_owner(path, text)
    except FileExistsError:
        raise Stop(f"{path} is there already; nothing was written.", Exit.FAILED) from None
    except OSError as error:
        raise Stop(f"{path} can't be written: {error.strerror}.", Exit.FAILED) from None
