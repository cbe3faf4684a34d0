"""Settings from environment variables, laid over the configuration file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from smm_rules.config.place import SCHEMES
from smm_rules.document import Document, DocumentError, Plain, Position, Problem, did_you_mean
from smm_rules.document.scalars import NotAValue, resolve

PREFIX = "SMM_RULES_"
#: Each variable and the setting it replaces.
VARIABLES: dict[str, tuple[str, ...]] = {
    "SMM_RULES_LEDGER": ("ledger",),
    "SMM_RULES_STATE_DIRECTORY": ("state_directory",),
    "SMM_RULES_RULES": ("rules",),
    "SMM_RULES_DROP_FOLDER": ("drop_folder",),
    "SMM_RULES_OPERATOR_CHANNEL": ("operator", "channel"),
    "SMM_RULES_MODE": ("mode",),
    "SMM_RULES_OBSERVATION_GAP": ("observation_gap",),
    "SMM_RULES_SETTLE_AFTER": ("settle_after",),
    "SMM_RULES_RETENTION": ("retention",),
    "SMM_RULES_LOG_FORMAT": ("logging", "format"),
    "SMM_RULES_LOG_LEVEL": ("logging", "level"),
    "SMM_RULES_STOP_TIMEOUT": ("stop_timeout",),
    "SMM_RULES_POLLING": ("polling",),
    "SMM_RULES_SWEEP_SIZE": ("sweep_size",),
}
#: Variables of the command line, which are not settings.
OTHERS = frozenset({"SMM_RULES_CONFIG"})
_PATHS = frozenset(
    {"SMM_RULES_LEDGER", "SMM_RULES_STATE_DIRECTORY", "SMM_RULES_RULES", "SMM_RULES_DROP_FOLDER"}
)


def with_environment(document: Document, environment: Mapping[str, str]) -> Document:
    """The document with what the environment replaces; each value's place names its variable.

    An empty variable counts as not set. Relative paths start from the working directory.
    `DocumentError` when a variable's value can't be read.
    """
    problems: list[Problem] = []
    for variable, trail in VARIABLES.items():
        text = environment.get(variable, "")
        if not text:
            continue
        position = place_of(variable)
        try:
            value = _value(variable, text)
        except NotAValue as error:
            problems.append(Problem(position, f"{variable}: {error}"))
            continue
        document = document.overridden(trail, value, position)
    if problems:
        raise DocumentError(problems)
    return document


def place_of(variable: str) -> Position:
    """The place of a variable's value, for problems with it."""
    return Position(Path(f"${variable}"), 1, 1)


def misspelt(environment: Mapping[str, str], referenced: frozenset[str]) -> Iterator[Problem]:
    """Variables that look like a setting's and are not one; those that hold secrets are left alone."""
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in VARIABLES or name in OTHERS or name in referenced:
            continue
        if suggestion := did_you_mean(name.removeprefix(PREFIX), _short_names()):
            meant = suggestion.replace('"', f'"{PREFIX}', 1)
            yield Problem(place_of(name), f"The environment variable {name} is not a setting", meant)


def _short_names() -> list[str]:
    return [name.removeprefix(PREFIX) for name in VARIABLES]


def _value(variable: str, text: str) -> Plain:
    if variable in _PATHS and not text.startswith(SCHEMES):
        return str(Path(text).expanduser().absolute())
    return resolve(text) if variable == "SMM_RULES_SWEEP_SIZE" else text
