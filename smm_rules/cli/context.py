"""What commands have in common: the configuration, the clock, the opened ledger, and how errors end."""

from __future__ import annotations

import functools
import getpass
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from smm_rules.cli.exits import Exit, Stop

# Each command imports this module: what only some of them need is imported where they do.
if TYPE_CHECKING:
    from smm_rules.config.model import Configuration
    from smm_rules.ledger.sql.ledger import SqlLedger

CONFIG_VARIABLE = "SMM_RULES_CONFIG"
CONFIG_NAME = "smm-rules.yaml"
SYSTEM_CONFIG = Path("/etc/smm-rules") / CONFIG_NAME

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

config_option = click.option(
    "--config",
    "-c",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar=CONFIG_VARIABLE,
    help=f"The configuration file. Default: ./{CONFIG_NAME}, else {SYSTEM_CONFIG}.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, for scripts.")


def find_configuration(given: Path | None) -> Path:
    """The configuration's path: the one given, the one here, or the machine's."""
    if given is not None:
        return given
    for candidate in (Path(CONFIG_NAME), SYSTEM_CONFIG):
        if candidate.is_file():
            return candidate
    raise Stop(
        f"There is no ./{CONFIG_NAME} and no {SYSTEM_CONFIG}. Write one with `smm-rules init`, or name one "
        f"with --config or ${CONFIG_VARIABLE}.",
        Exit.CONFIGURATION,
    )


def read_configuration(given: Path | None) -> Configuration:
    """The configuration in force for this command."""
    from smm_rules.config.load import load_configuration

    return load_configuration(find_configuration(given), os.environ)


def rule_paths(configuration: Configuration) -> tuple[Path, ...]:
    """Where the configuration's rules are, as seen from here."""
    from smm_rules.cli.terminal import seen_from_here

    return tuple(seen_from_here(path) for path in configuration.rules)


@asynccontextmanager
async def open_ledger(configuration: Configuration) -> AsyncIterator[SqlLedger]:
    """The ledger, beside a running daemon or without one."""
    from smm_rules.ledger import opening

    ledger = await opening.open_ledger(configuration)
    try:
        yield ledger
    finally:
        await ledger.aclose()


def operator_name() -> str:
    """Who gives this command, for the ledger's record."""
    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"operator:{os.getuid()}"


def asynchronous(
    command: Callable[Arguments, Coroutine[Any, Any, Answer]],
) -> Callable[Arguments, Answer]:
    """Run an async command to its end."""

    @functools.wraps(command)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        import asyncio

        return asyncio.run(command(*args, **kwargs))

    return run


def explain(error: Exception) -> Exit:
    """Tell the user of an expected error; the exit code that goes with it. Others are raised again."""
    from smm_rules.cli.terminal import errors, print_problems, safe
    from smm_rules.config.secrets import SecretUnavailable
    from smm_rules.document import DocumentError
    from smm_rules.intake.lines import SourceRefused, Unacceptable
    from smm_rules.ledger.port import LedgerError
    from smm_rules.panel.errors import PanelError

    console = errors()
    if isinstance(error, DocumentError):
        print_problems(error.problems)
        count = len(error.problems)
        console.print(f"{count} problem{'s' if count != 1 else ''} found; nothing was done.")
        return Exit.CONFIGURATION
    if isinstance(error, Stop):
        console.print(f"[bold red]error[/]: {safe(error.message)}")
        return error.code
    codes: tuple[tuple[type[Exception], Exit], ...] = (
        (SecretUnavailable, Exit.CONFIGURATION),
        (LedgerError, Exit.LEDGER),
        (PanelError, Exit.PANEL),
        (Unacceptable, Exit.USAGE),
        (SourceRefused, Exit.USAGE),
    )
    for kind, code in codes:
        if isinstance(error, kind):
            console.print(f"[bold red]error[/]: {safe(error)}")
            return code
    raise error
