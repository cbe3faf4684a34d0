"""`smm-rules init`: a first configuration and first rules, ready to load."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import click

from smm_rules.cli.context import CONFIG_NAME, SYSTEM_CONFIG
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.first_set_up.files import (
    LOG_CHANNEL,
    RULES_NAME,
    TESTS_NAME,
    Answers,
    first_files,
    key_name,
)
from smm_rules.cli.terminal import output, safe
from smm_rules.cli.writing import write_for_owner, write_secret
from smm_rules.config.model import Configuration

#: What the first lines of the files name, for editors: kept beside them, so it works without a network.
SCHEMAS = {
    ".smm-rules/config.schema.json": "config.json",
    ".smm-rules/rules.schema.json": "rules.json",
}
_DEFAULT_NAME = "main"
_DEFAULT_URL = "https://panel.example/api/v2"
_LEDGER_NAME = "smm-rules.db"
#: Below /etc nothing can be written by the service: its ledger is in the unit's StateDirectory.
_SYSTEM_LEDGER = f"/var/lib/smm-rules/{_LEDGER_NAME}"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--panel-name", help="What to call the panel.")
@click.option("--panel-url", help="The address of its API v2.")
@click.option("--key-env", help="The environment variable that will hold its API key.")
@click.option("--key-credential", help="The systemd credential that will hold its API key instead.")
@click.option("--key-file", help="The file (mode 0600) that holds its API key instead, seen from DIRECTORY.")
@click.option("--force", is_flag=True, help="Write over files that are there already.")
def command(
    directory: Path,
    panel_name: str | None,
    panel_url: str | None,
    key_env: str | None,
    key_credential: str | None,
    key_file: str | None,
    force: bool,
) -> None:
    """Write a first configuration and first rules with tests into DIRECTORY (default: here).

    On a terminal it asks for what isn't given, tries the key, and stores it in a file that only you can read;
    then it checks what it wrote. Elsewhere it takes placeholders and asks nothing.
    """
    places = {"env": key_env, "credential": key_credential, "file": key_file}
    given = {place: name for place, name in places.items() if name is not None}
    if len(given) > 1:
        raise click.UsageError("Give one of --key-env, --key-credential and --key-file.")
    if not force:
        _refuse_existing(directory)
    answers = _answers(directory, panel_name, panel_url, given)
    guided = sys.stdin.isatty() and sys.stdout.isatty()
    secrets: Mapping[str, str] = {}
    if guided:
        known = {"name": panel_name, "url": panel_url, "key": next(iter(given.values()), None)}
        answers, secrets = _ask(directory, answers, frozenset(key for key, value in known.items() if value))
    files = first_files(directory, answers)
    for name, secret in secrets.items():
        _store(directory / name, secret, force)
    for path, text in files.items():
        _write(path, text, force)
        output().print(f"wrote {safe(path)}")
    for name, shipped in SCHEMAS.items():
        _write(directory / name, _schema(shipped), force=True)
    if guided:
        _check(directory / CONFIG_NAME)
    _print_next_steps(directory, answers, stored=bool(secrets))


def _ask(directory: Path, begun: Answers, known: frozenset[str]) -> tuple[Answers, Mapping[str, str]]:
    from smm_rules.cli.first_set_up.guide import ask  # late: what only fills in needs no network

    guided = ask(directory, begun, known, _try_panel)
    return guided.answers, guided.secrets


def _try_panel(configuration: Configuration, environment: Mapping[str, str]) -> bool:
    """Ask the panel for its balance and services, and show what it said."""
    import asyncio

    from smm_rules.cli.live import try_panels

    trials = asyncio.run(try_panels(configuration, environment))
    trials.print(output())
    return not trials.failed


def _check(config: Path) -> None:
    """What was written is checked and its tests are played, as the user would."""
    from smm_rules.cli.app import run

    for arguments in (["check", "--config", str(config)], ["test", "--config", str(config)]):
        click.echo(f"$ smm-rules {arguments[0]}")
        run(arguments)


def _refuse_existing(directory: Path) -> None:
    for path in (directory / CONFIG_NAME, directory / RULES_NAME, directory / TESTS_NAME):
        if os.path.lexists(path):
            raise Stop(f"{path} is there already; nothing was written. --force writes over it.", Exit.FAILED)


def _answers(directory: Path, name: str | None, url: str | None, given: Mapping[str, str]) -> Answers:
    """What was given, and placeholders for the rest."""
    name = _DEFAULT_NAME if name is None else name
    url = _DEFAULT_URL if url is None else url
    in_etc = directory.absolute().is_relative_to("/etc")
    if given:
        place, key = next(iter(given.items()))
    else:
        place = "credential" if in_etc else "env"
        key = key_name(place, name)
    if place == "env" and not _VARIABLE.fullmatch(key):
        raise click.UsageError(f"{key!r} can't be the name of an environment variable.")
    return Answers(name, url, place, key, _SYSTEM_LEDGER if in_etc else _LEDGER_NAME)


def _schema(name: str) -> str:
    return resources.files("smm_rules.schemas").joinpath(name).read_text("utf-8")


def _write(path: Path, text: str, force: bool) -> None:
    """Write the whole file or none of it."""
    try:
        write_for_owner(path, text, over=force)
    except FileExistsError:
        raise Stop(f"{path} is there already. --force writes over it.", Exit.FAILED) from None
    except OSError as error:
        raise Stop(f"{path} can't be written: {error.strerror}.", Exit.FAILED) from None


def _store(path: Path, secret: str, force: bool) -> None:
    """Store a secret where only its owner reads it."""
    try:
        write_secret(path, f"{secret}\n", over=force)
    except FileExistsError:
        raise Stop(f"{path} is there already. --force writes over it.", Exit.FAILED) from None
    except OSError as error:
        raise Stop(f"{path} can't be written: {error.strerror}.", Exit.FAILED) from None
    output().print(f"stored {safe(path)}, which only you can read")


def _print_next_steps(directory: Path, answers: Answers, *, stored: bool) -> None:
    config = directory / CONFIG_NAME
    steps = [f"put the panel's address into {config}"] if answers.panel_url == _DEFAULT_URL else []
    if answers.key_place == "credential":
        steps += _steps_as_service(answers, config)
    else:
        steps += _steps_by_hand(answers, _naming(config), stored)
    console = output()
    console.print("Next:")
    for number, step in enumerate(steps, 1):
        console.print(f"  {number}. {safe(step)}", soft_wrap=True)


def _steps_by_hand(answers: Answers, named: str, stored: bool) -> list[str]:
    """The way to a daemon in the foreground: it holds what it would do before it acts."""
    variable = answers.key_name
    steps = []
    if answers.key_place == "env":
        steps.append(f"read -rs {variable} && export {variable}   # the panel's API key")
    if not stored:
        steps.append(f"smm-rules check --live{named}")
    if answers.channel != LOG_CHANNEL:
        steps.append(f"smm-rules notify ops --test{named}")
    steps.append(f"smm-rules orders import FILE{named}   # or: orders track ID …")
    if answers.mode == "dry_run":
        return [*steps, f"smm-rules run{named}   # holds what it would do; then put `mode: live`"]
    return [
        *steps,
        f"SMM_RULES_MODE=dry_run smm-rules run{named}   # holds what it would do",
        f"smm-rules run{named}",
    ]


def _steps_as_service(answers: Answers, config: Path) -> list[str]:
    """The way to a service, which alone can read a credential."""
    named = _naming(config)
    careful = f"put `mode: dry_run` into {config}: it holds what it would do"
    return [
        f"store the API key as the credential {answers.key_name} (systemd/README.md)",
        *([] if answers.mode == "dry_run" else [careful]),
        f"smm-rules check{named}",
        "systemctl enable --now smm-rules",
        f"smm-rules orders import FILE{named}   # or: orders track ID …",
        "put `mode: live` back, and systemctl restart smm-rules",
    ]


def _naming(config: Path) -> str:
    """The option that names the configuration, for commands given here that wouldn't find it."""
    return "" if _is_found(config) else f" --config {shlex.quote(str(config))}"


def _is_found(config: Path) -> bool:
    """Whether commands given here find the configuration by themselves."""
    return config.absolute() in (Path(CONFIG_NAME).absolute(), SYSTEM_CONFIG)
