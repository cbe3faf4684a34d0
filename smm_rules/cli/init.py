"""`smm-rules init`: a first configuration and first rules, ready to load."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import click

from smm_rules.cli.context import CONFIG_NAME, SYSTEM_CONFIG
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.terminal import output, safe
from smm_rules.cli.writing import write_for_owner
from smm_rules.config.model import Configuration
from smm_rules.config.paths import DIRECTORY
from smm_rules.document import DocumentError, read_text, validate
from smm_rules.document.scalars import NotAValue, resolve

RULES_NAME = "rules/first-rules.yaml"
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
#: Text that YAML reads as itself, within brackets too.
_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./:@%?=&~+-]*", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the configuration is filled in with. The key's place is `env` or `credential`."""

    panel_name: str
    panel_url: str
    key_place: str
    key_name: str
    ledger: str


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=".")
@click.option("--panel-name", help="What to call the panel.")
@click.option("--panel-url", help="The address of its API v2.")
@click.option("--key-env", help="The environment variable that will hold its API key.")
@click.option("--key-credential", help="The systemd credential that will hold its API key instead.")
@click.option("--force", is_flag=True, help="Write over files that are there already.")
def command(
    directory: Path,
    panel_name: str | None,
    panel_url: str | None,
    key_env: str | None,
    key_credential: str | None,
    force: bool,
) -> None:
    """Write a first configuration and first rules into DIRECTORY (default: here).

    On a terminal it asks for what isn't given; elsewhere it takes placeholders.
    """
    if key_env is not None and key_credential is not None:
        raise click.UsageError("Give --key-env or --key-credential, not both.")
    if not force:
        _refuse_existing(directory)
    answers = _answers(directory, panel_name, panel_url, key_env, key_credential)
    files = first_files(directory, answers)
    for path, text in files.items():
        _write(path, text, force)
        output().print(f"wrote {safe(path)}")
    for name, shipped in SCHEMAS.items():
        _write(directory / name, _schema(shipped), force=True)
    _print_next_steps(directory, answers)


def _refuse_existing(directory: Path) -> None:
    for path in (directory / CONFIG_NAME, directory / RULES_NAME):
        if os.path.lexists(path):
            raise Stop(f"{path} is there already; nothing was written. --force writes over it.", Exit.FAILED)


def _answers(
    directory: Path, name: str | None, url: str | None, env: str | None, credential: str | None
) -> Answers:
    asks = sys.stdin.isatty()
    if name is None:
        name = click.prompt("A name for the panel", default=_DEFAULT_NAME) if asks else _DEFAULT_NAME
    if url is None:
        url = click.prompt("The address of its API v2", default=_DEFAULT_URL) if asks else _DEFAULT_URL
    in_etc = directory.absolute().is_relative_to("/etc")
    if credential is None and env is None and in_etc:
        credential = f"{name}-panel-key"  # as systemd/README.md tells
    if credential is None and env is None:
        env = f"{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}_PANEL_KEY"
        env = click.prompt("The environment variable with its API key", default=env) if asks else env
    if env is not None and not _VARIABLE.fullmatch(env):
        raise click.UsageError(f"{env!r} can't be the name of an environment variable.")
    place, key = ("env", env) if env is not None else ("credential", credential or "")
    return Answers(name, url, place, key, _SYSTEM_LEDGER if in_etc else _LEDGER_NAME)


def first_files(directory: Path, answers: Answers) -> dict[Path, str]:
    """The texts to write, by path; `UsageError` when an answer can't stand in a configuration."""
    config_path = directory / CONFIG_NAME
    text = _filled(
        _shipped("smm-rules.yaml"),
        {
            "PANEL_NAME": answers.panel_name,
            "PANEL_URL": answers.panel_url,
            "KEY_PLACE": answers.key_place,
            "KEY_NAME": answers.key_name,
            "LEDGER": answers.ledger,
        },
    )
    try:
        validate(read_text(text, config_path), Configuration, context={DIRECTORY: directory.absolute()})
    except DocumentError as error:
        told = "; ".join(problem.message for problem in error.problems)
        raise click.UsageError(f"The answers can't be used: {told}.") from None
    return {config_path: text, directory / RULES_NAME: _shipped("first-rules.yaml")}


def _shipped(name: str) -> str:
    return resources.files("smm_rules.cli.first_set_up").joinpath(name).read_text("utf-8")


def _schema(name: str) -> str:
    return resources.files("smm_rules.schemas").joinpath(name).read_text("utf-8")


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"@([A-Z_]+)@", lambda match: _as_yaml(words[match[1]]), text)


def _as_yaml(text: str) -> str:
    """`text` as YAML reads it back, in quotes only where it needs them."""
    try:
        plain = bool(_PLAIN.fullmatch(text)) and not text.endswith(":") and resolve(text) == text
    except NotAValue:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)


def _write(path: Path, text: str, force: bool) -> None:
    """Write the whole file or none of it."""
    try:
        write_for_owner(path, text, over=force)
    except FileExistsError:
        raise Stop(f"{path} is there already. --force writes over it.", Exit.FAILED) from None
    except OSError as error:
        raise Stop(f"{path} can't be written: {error.strerror}.", Exit.FAILED) from None


def _print_next_steps(directory: Path, answers: Answers) -> None:
    config = directory / CONFIG_NAME
    steps = [f"put the panel's address into {config}"] if answers.panel_url == _DEFAULT_URL else []
    if answers.key_place == "env":
        steps += _steps_by_hand(answers.key_name, _naming(config))
    else:
        steps += _steps_as_service(answers.key_name, config)
    console = output()
    console.print("Next:")
    for number, step in enumerate(steps, 1):
        console.print(f"  {number}. {safe(step)}", soft_wrap=True)


def _steps_by_hand(variable: str, named: str) -> list[str]:
    """The way to a daemon in the foreground: it holds what it would do before it acts."""
    return [
        f"read -rs {variable} && export {variable}   # the panel's API key",
        f"smm-rules check --live{named}",
        f"smm-rules orders import FILE{named}   # or: orders track ID …",
        f"SMM_RULES_MODE=dry_run smm-rules run{named}   # holds what it would do",
        f"smm-rules run{named}",
    ]


def _steps_as_service(credential: str, config: Path) -> list[str]:
    """The way to a service, which alone can read a credential."""
    named = _naming(config)
    return [
        f"store the API key as the credential {credential} (systemd/README.md)",
        f"put `mode: dry_run` into {config}: it holds what it would do",
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
