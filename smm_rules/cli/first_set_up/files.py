"""The files of a first set-up, filled in with answers and known to load."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import click

from smm_rules.cli.context import CONFIG_NAME
from smm_rules.config.model import Configuration
from smm_rules.config.paths import DIRECTORY
from smm_rules.document import DocumentError, read_text, validate
from smm_rules.document.scalars import NotAValue, resolve

RULES_NAME = "rules/first-rules.yaml"
TESTS_NAME = "rules/first-rules_test.yaml"
#: The channel's settings that need nothing: messages go to the daemon's own log.
LOG_CHANNEL = "log: {}          # the daemon's own log, to begin with"
#: Text that YAML reads as itself, within brackets too.
_PLAIN = re.compile(r"[A-Za-z0-9/][A-Za-z0-9_./:@%?=&~+-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the configuration is filled in with.

    The key's place is `env`, `credential` or `file`. `channel` is YAML, the settings of the channel `ops`.
    """

    panel_name: str
    panel_url: str
    key_place: str
    key_name: str
    ledger: str
    channel: str = LOG_CHANNEL
    mode: str = "live"


def key_name(place: str, panel: str) -> str:
    """What a panel's key is called where nobody names it; a credential as systemd/README.md tells."""
    if place == "credential":
        return f"{panel}-panel-key"
    return f"{re.sub(r'[^A-Za-z0-9]', '_', panel).upper()}_PANEL_KEY"


def configuration_text(answers: Answers) -> str:
    """The configuration as it is written."""
    words = {
        "PANEL_NAME": answers.panel_name,
        "PANEL_URL": answers.panel_url,
        "KEY_PLACE": answers.key_place,
        "KEY_NAME": answers.key_name,
        "LEDGER": answers.ledger,
        "MODE": answers.mode,
    }
    text = _shipped("smm-rules.yaml").replace("@CHANNEL@", answers.channel)
    return _filled(text, words)


def read_answers(directory: Path, answers: Answers) -> Configuration:
    """The configuration that the answers make; `UsageError` when one can't stand in a configuration."""
    text = configuration_text(answers)
    try:
        return validate(
            read_text(text, directory / CONFIG_NAME), Configuration, context={DIRECTORY: directory.absolute()}
        )
    except DocumentError as error:
        told = "; ".join(problem.message for problem in error.problems)
        raise click.UsageError(f"The answers can't be used: {told}.") from None


def first_files(directory: Path, answers: Answers) -> dict[Path, str]:
    """The texts to write, by path; `UsageError` when an answer can't stand in a configuration."""
    read_answers(directory, answers)
    return {
        directory / CONFIG_NAME: configuration_text(answers),
        directory / RULES_NAME: _shipped("first-rules.yaml"),
        directory / TESTS_NAME: _shipped("first-rules_test.yaml"),
    }


def as_yaml(text: str) -> str:
    """`text` as YAML reads it back, in quotes only where it needs them."""
    try:
        plain = bool(_PLAIN.fullmatch(text)) and not text.endswith(":") and resolve(text) == text
    except NotAValue:
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)


def _shipped(name: str) -> str:
    return resources.files("smm_rules.cli.first_set_up").joinpath(name).read_text("utf-8")


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"@([A-Z_]+)@", lambda match: as_yaml(words[match[1]]), text)
