"""The command line: the group of all commands and the one place where errors end."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from smm_rules import __version__
from smm_rules.cli.exits import Exit
from smm_rules.cli.group import Group
from smm_rules.garbage import nothing_is_garbage

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

#: Set by a shell that completes a command line, to what it wants: click's own way.
_COMPLETING = "_SMM_RULES_COMPLETE"
#: Each command and the module that has it, as `command`. Loaded when asked for: `check` needs no web server.
COMMANDS = {
    "run": "run",
    "worker": "worker",
    "check": "check",
    "test": "trial",
    "replay": "replay",
    "fmt": "fmt",
    "rules": "rules",
    "schema": "schema",
    "orders": "orders",
    "services": "services",
    "intents": "intents",
    "audit": "audit",
    "statement": "statement",
    "backup": "backup",
    "restore": "restore",
    "hold": "hold",
    "ledger": "ledger",
    "pause": "pause",
    "resume": "resume",
    "panic": "panic",
    "pauses": "pauses",
    "status": "status",
    "top": "top",
    "logs": "logs",
    "web": "web",
    "explain": "explain",
    "preview": "preview",
    "notify": "notify",
    "alerts": "alerts",
    "silence": "silence",
    "outbox": "outbox",
    "doctor": "doctor",
    "simulate": "simulate",
    "demo": "demo",
    "init": "init",
    "completion": "completion",
}


#: The garbage collector looks for cycles after this many new objects, not after every 700: nearly all that is
#: made by loading modules and rules stays, and looking it through again and again took a quarter of the time.
_NEW_OBJECTS = 20_000


class NoReader(Exception):
    """Nobody reads what the command writes any more, as with `| head`."""


@contextlib.contextmanager
def _noticing_a_lost_reader() -> Iterator[None]:
    """Tell a broken pipe apart before click and rich make exit code 1 of it."""
    try:
        yield
    except BrokenPipeError:
        raise NoReader from None
    except SystemExit as end:  # rich's way
        if isinstance(end.__context__, BrokenPipeError):
            raise NoReader from None
        raise


class LazyGroup(Group):
    """Imports a command's module only when the command is used."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the command line; `--help` is written while that is done."""
        with _noticing_a_lost_reader():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _noticing_a_lost_reader():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        with nothing_is_garbage():
            command = importlib.import_module(f"smm_rules.cli.{module}").command
        assert isinstance(command, click.Command)
        if _COMPLETING in os.environ:
            from smm_rules.cli.completing import with_names  # late: only a shell needs it

            return with_names(command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin like what is typed. bash shows no help, so none is loaded for it."""
        if not os.environ.get(_COMPLETING, "").startswith("bash") or incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in COMMANDS if name.startswith(incomplete)]


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="smm-rules")
def cli() -> None:
    """Watch orders on panels speaking API v2 and act on them by rules.

    Exit codes: 0 done · 1 something asked for didn't succeed · 2 wrong use · 3 configuration or rules at
    fault · 4 the ledger can't be used or another daemon has it · 5 a panel didn't answer or refused.
    """


def main() -> None:
    """Entry point of `smm-rules`: never a traceback for an error that was expected."""
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
    code = run(sys.argv[1:])
    gc.freeze()  # what is left goes with the process: Python needn't look it through for cycles first
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line to its end, its output written; its exit code."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except (NoReader, BrokenPipeError):
        _write_no_more()
        return Exit.NO_READER
    except OSError as error:
        _write_no_more()
        click.echo(f"error: {_in_words(error)}.", err=True)
        return Exit.FAILED
    return code


def _run(arguments: list[str]) -> int:
    try:
        result = cli.main(arguments, prog_name="smm-rules", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        click.echo("Interrupted.", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return int(Exit.USAGE)
    except KeyboardInterrupt:
        return 130
    except (NoReader, OSError):
        raise
    except Exception as error:
        # Here and not above: it brings most of the program, which `--version` has no need of.
        from smm_rules.cli.context import explain

        return int(explain(error))
    return int(result) if isinstance(result, int) else int(Exit.DONE)


def _write_no_more() -> None:
    """What is still to be written goes nowhere, so that Python doesn't fail once more at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _in_words(error: OSError) -> str:
    """What failed and where, without Python's number."""
    words = error.strerror or str(error)
    return f"{error.filename}: {words}" if error.filename else words
