"""Section 1: a page for the program, and one for each of its commands with those below it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from smm_rules import __version__
from smm_rules.cli.context import CONFIG_VARIABLE, SYSTEM_CONFIG
from smm_rules.cli.manual import roff

PROGRAM = "smm-rules"
#: As the README has them.
EXIT_CODES = (
    ("0", "Done."),
    ("1", "Something asked for didn't succeed."),
    ("2", "Wrong use."),
    ("3", "Configuration or rules at fault."),
    ("4", "The ledger can't be used, or another daemon has it."),
    ("5", "A panel didn't answer, or refused."),
    ("130", "Interrupted."),
    ("141", "Nobody read the output any more."),
)
_FILES = (
    (
        f"./smm-rules.yaml, {SYSTEM_CONFIG}",
        "The configuration, where --config names none: smm-rules.yaml(5).",
    ),
    ("/var/lib/smm-rules", "The service's ledger."),
)


def pages(program: click.Group, date: str) -> Iterator[tuple[str, str]]:
    """File names and texts of all pages of section 1."""
    context = click.Context(program, info_name=PROGRAM, **program.context_settings)
    commands = {name: _command(program, context, name) for name in program.list_commands(context)}
    yield f"{PROGRAM}.1", roff.page(_program_page(program, commands, date))
    for name, command in commands.items():
        yield f"{PROGRAM}-{name}.1", roff.page(_command_page(name, command, context, date))


def _command(group: click.Group, context: click.Context, name: str) -> click.Command:
    command = group.get_command(context, name)
    assert command is not None
    return command


def _program_page(program: click.Group, commands: dict[str, click.Command], date: str) -> Iterator[str]:
    yield roff.title(PROGRAM, 1, date, f"{PROGRAM} {__version__}")
    yield from _name(PROGRAM, program)
    yield roff.section("SYNOPSIS")
    yield f".B {PROGRAM}"
    yield ".I COMMAND"
    yield "[\\fIOPTION\\fR]\\&... [\\fIARGUMENT\\fR]\\&..."
    yield roff.section("DESCRIPTION")
    # Its last paragraph has the exit codes, which have a section of their own here.
    yield from roff.paragraphs(_help(program).rpartition("\n\n")[0])
    yield from roff.paragraphs(
        "A paid action happens at most once and is never silently lost. Where an outcome can't be proved, "
        "the daemon stops, says so, and asks."
    )
    yield roff.section("COMMANDS")
    for name, command in commands.items():
        yield from roff.item(f"{PROGRAM}-{name}(1)", command.get_short_help_str(400))
    yield from _ending()
    yield from _see_also("smm-rules.yaml(5)", "systemd(1)", "journalctl(1)")


def _command_page(name: str, command: click.Command, parent: click.Context, date: str) -> Iterator[str]:
    page = f"{PROGRAM}-{name}"
    context = click.Context(command, info_name=name, parent=parent)
    yield roff.title(page, 1, date, f"{PROGRAM} {__version__}")
    yield from _name(page, command)
    yield roff.section("SYNOPSIS")
    below = list(_below(command, context))
    for each, each_context in below or [(command, context)]:
        yield from _synopsis(each, each_context)
    yield roff.section("DESCRIPTION")
    yield from roff.paragraphs(_help(command))
    if below:
        yield roff.section("COMMANDS")
        for each, each_context in below:
            yield roff.subsection(f"{PROGRAM} {name} {each_context.info_name}")
            yield from roff.paragraphs(_help(each))
            yield from _options(each, each_context)
    else:
        yield roff.section("OPTIONS")
        yield from _options(command, context)
    yield from _ending()
    yield from _see_also(f"{PROGRAM}(1)", "smm-rules.yaml(5)")


def _below(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """The commands of a group, and those of groups in it."""
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        each = _command(command, context, name)
        each_context = click.Context(each, info_name=name, parent=context)
        if isinstance(each, click.Group):
            yield from _below(each, each_context)
        else:
            yield each, each_context


def _synopsis(command: click.Command, context: click.Context) -> Iterator[str]:
    yield ".PP"
    yield f".B {roff.argument(context.command_path)}"
    yield roff.inline(" ".join(command.collect_usage_pieces(context)))


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for param in command.get_params(context):
        record = param.get_help_record(context) if isinstance(param, click.Option) else None
        if record is not None:
            yield from roff.item(*record)


def _ending() -> Iterator[str]:
    yield roff.section("EXIT STATUS")
    for code, meaning in EXIT_CODES:
        yield from roff.item(code, meaning)
    yield roff.section("ENVIRONMENT")
    yield from roff.item(CONFIG_VARIABLE, "The configuration file, where --config names none.")
    yield from roff.item("SMM_RULES_…", "Settings of the configuration, such as SMM_RULES_MODE.")
    yield from roff.item("NO_COLOR", "When set, nothing is coloured.")
    yield roff.section("FILES")
    for path, meaning in _FILES:
        yield from roff.item(path, meaning)


def _see_also(*pages: str) -> Iterator[str]:
    yield roff.section("SEE ALSO")
    yield roff.inline(", ".join(pages))


def _name(page: str, command: click.Command) -> Iterator[str]:
    yield roff.section("NAME")
    sentence = command.get_short_help_str(400).rstrip(".")
    yield f"{roff.escaped(page)} \\- {roff.inline(sentence[:1].lower() + sentence[1:])}"


def _help(command: click.Command) -> str:
    return inspect.cleandoc(command.help or command.short_help or "")
