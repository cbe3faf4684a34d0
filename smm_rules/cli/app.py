"""The command line: the group of all commands and the one place where errors end."""

from __future__ import annotations

import importlib
import sys

import click

from smm_rules import __version__
from smm_rules.cli.exits import Exit

#: Each command and the module that has it, as `command`. Loaded when asked for: `check` needs no web server.
COMMANDS = {
    "run": "run",
    "check": "check",
    "test": "trial",
    "fmt": "fmt",
    "rules": "rules",
    "schema": "schema",
    "orders": "orders",
    "intents": "intents",
    "status": "status",
    "explain": "explain",
    "preview": "preview",
    "notify": "notify",
    "doctor": "doctor",
    "simulate": "simulate",
    "demo": "demo",
    "init": "init",
}


class LazyGroup(click.Group):
    """Imports a command's module only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command = importlib.import_module(f"smm_rules.cli.{module}").command
        assert isinstance(command, click.Command)
        return command


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
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    from smm_rules.cli.context import explain  # late: `--version` and `--help` stay quick

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
    except BrokenPipeError:
        # The reader has gone, as with `| head`: no error of ours. Keep Python from flushing into it again.
        sys.stderr.close()
        return 0
    except Exception as error:
        return int(explain(error))
    return int(result) if isinstance(result, int) else int(Exit.DONE)
