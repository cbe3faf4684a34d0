"""`smm-rules completion`: what makes a shell complete commands, options and the names of rules and panels."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from smm_rules.cli.completing import VARIABLE
from smm_rules.cli.exits import Exit, Stop

_SHELLS = ("bash", "zsh", "fish")
#: Where a shell looks by itself, below the user's data or configuration directory.
_PLACES = {
    "bash": ("XDG_DATA_HOME", ".local/share", "bash-completion/completions/smm-rules"),
    "zsh": ("XDG_DATA_HOME", ".local/share", "zsh/site-functions/_smm-rules"),
    "fish": ("XDG_CONFIG_HOME", ".config", "fish/completions/smm-rules.fish"),
}


@click.command("completion")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.option("--install", is_flag=True, help="Write it where the shell finds it, for you alone.")
def command(shell: str, install: bool) -> None:
    """Print the script by which SHELL completes smm-rules, or install it.

    Rules, panels and channels are those of the configuration in force.

    \b
    smm-rules completion bash --install
    source <(smm-rules completion bash)      # for this shell only
    """
    script = _script(shell)
    if not install:
        click.echo(script, nl=False)
        return
    path = place(shell)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, encoding="utf-8")
    except OSError as error:
        raise Stop(f"{path} can't be written: {error.strerror}.", Exit.FAILED) from None
    click.echo(f"wrote {path}")
    if shell == "zsh":
        click.echo(f"If it isn't there already, put this before compinit in .zshrc: fpath+=({path.parent})")
    click.echo(f"It works in every {shell} that is started from now on.")


def place(shell: str) -> Path:
    """Where a shell's completion of this command is kept for the user."""
    variable, default, name = _PLACES[shell]
    base = os.environ.get(variable, "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / default) / name


def _script(shell: str) -> str:
    from smm_rules.cli.app import cli

    made = get_completion_class(shell)
    assert made is not None
    # Not its `source()`: that asks the bash at hand for its version, and this may be for another machine.
    complete = made(cli, {}, "smm-rules", VARIABLE)
    return f"{(complete.source_template % complete.source_vars()).strip()}\n"
