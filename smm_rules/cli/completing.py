"""What a shell is offered on Tab: rules, panels and channels of the configuration in force.

Only a shell that completes gets here: it runs `smm-rules` with `VARIABLE` set, which says which shell it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

VARIABLE = "_SMM_RULES_COMPLETE"

Names = Callable[[click.Context], list[str]]


class Offered(click.ParamType[str]):
    """Text for which the shell is offered names. Whatever goes wrong, it is offered none: a shell that
    completes has no place for an error, and the command itself will tell of it."""

    name = "text"

    def __init__(self, names: Names) -> None:
        self._names = names

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """The names that begin like what is typed."""
        try:
            names = self._names(ctx)
        except Exception:
            return []
        return [CompletionItem(name) for name in sorted(set(names)) if name.startswith(incomplete)]


def with_names(command: click.Command) -> click.Command:
    """The command, which offers names for its parameters; those of a group with all its commands."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            under = command.get_command(context, name)
            if under is not None:
                with_names(under)
    for param in command.params:
        names = _ARGUMENTS.get(param.name or "") if isinstance(param, click.Argument) else None
        names = names or _ANY.get(param.name or "")
        if names is not None and isinstance(param.type, click.types.StringParamType):
            param.type = Offered(names)
    return command


def _configuration(ctx: click.Context) -> Any:
    from smm_rules.cli.context import read_configuration

    given = ctx.params.get("config_path")
    return read_configuration(Path(given) if given else None)


def _panels(ctx: click.Context) -> list[str]:
    return [panel.name for panel in _configuration(ctx).panels]


def _channels(ctx: click.Context) -> list[str]:
    return list(_configuration(ctx).channels)


def _rules(ctx: click.Context) -> list[str]:
    return list(_rule_names(_configuration(ctx).rules))


def _rule_names(paths: tuple[Path, ...]) -> Iterator[str]:
    """Names as the files have them: a file with a mistake in it, or a rule, doesn't hide the others."""
    from smm_rules.document import DocumentError, read_document
    from smm_rules.rules.loader import rule_files

    for path in rule_files(paths):
        try:
            value = read_document(path).value
        except DocumentError:
            continue
        rules = value.get("rules") if isinstance(value, dict) else None
        for rule in rules if isinstance(rules, list) else ():
            name = rule.get("name") if isinstance(rule, dict) else None
            if isinstance(name, str):
                yield name


def _named_by_scope(ctx: click.Context) -> list[str]:
    """For `pause rule|panel|all NAME`, and a name that is always a rule's."""
    scope = ctx.params.get("scope", "rule")
    if scope == "all":
        return []
    return _panels(ctx) if scope == "panel" else _rules(ctx)


def _recipes(ctx: click.Context) -> list[str]:  # noqa: ARG001 - it is one of the ways to get names
    from smm_rules.cookbook.recipes import recipes

    return list(recipes())


def _first_word(ctx: click.Context) -> list[str]:
    """For `explain [RULE] ENTITY`: only the first of two words can be a rule."""
    return [] if ctx.params.get("words") else _rules(ctx)


#: By the name of an option or argument.
_ANY: dict[str, Names] = {"panel": _panels, "rule": _rules, "channel": _channels}
#: By the name of an argument; an option of that name means something else.
_ARGUMENTS: dict[str, Names] = {"name": _named_by_scope, "template": _recipes, "words": _first_word}
