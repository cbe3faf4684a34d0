"""The configuration read from its file and the environment, with every problem told at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from smm_rules.config.environment import misspelt, with_environment
from smm_rules.config.model import Configuration
from smm_rules.config.paths import DIRECTORY
from smm_rules.config.place import DatabaseAddress
from smm_rules.document import (
    Document,
    DocumentError,
    Problem,
    Trail,
    did_you_mean,
    read_document,
    validate,
)
from smm_rules.facts import format_duration


def load_configuration(path: Path, environment: Mapping[str, str]) -> Configuration:
    """The configuration in the file at `path`; `DocumentError` carries every problem.

    Environment variables named in `config.environment` replace single settings. Secrets are not read.
    """
    document = with_environment(read_document(path), environment)
    context = {DIRECTORY: path.parent.absolute()}
    configuration = validate(document, Configuration, context=context)
    problems = [*_cross_checks(document, configuration), *_environment(configuration, environment)]
    if problems:
        raise DocumentError(problems)
    return configuration


def _environment(configuration: Configuration, environment: Mapping[str, str]) -> Iterator[Problem]:
    referenced = frozenset(secret.env for secret in configuration.references if secret.env)
    return misspelt(environment, referenced)


def _cross_checks(document: Document, configuration: Configuration) -> Iterator[Problem]:
    yield from _duplicate_panels(document, configuration)
    yield from _words_for_panels(document, configuration)
    yield from _ledger(document, configuration)
    if configuration.operator is not None:
        yield from _channel(document, configuration, "operator", configuration.operator.channel)
    if configuration.statement is not None:
        yield from _channel(document, configuration, "statement", configuration.statement.channel)
    yield from _alerts(document, configuration)
    yield from _gaps(document, configuration)
    yield from _paces(document, configuration)


def _ledger(document: Document, configuration: Configuration) -> Iterator[Problem]:
    if isinstance(configuration.ledger, DatabaseAddress):
        if configuration.state_directory is None:
            message = "With a ledger in a database the key `state_directory` is needed"
            solution = "Write state_directory: /var/lib/smm-rules. There this machine notes how far it is"
            yield document.problem(("ledger",), message, solution)
        return
    for key in ("ledger_password", "state_directory"):
        if getattr(configuration, key) is not None:
            message = f"The key `{key}` belongs to a ledger in a database, and this one is a file"
            yield document.problem((key,), message, "Leave it out")


def _duplicate_panels(document: Document, configuration: Configuration) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, panel in enumerate(configuration.panels):
        name = panel.name.casefold()
        if name in first:
            line = document.position(("panels", first[name], "name")).line
            message = f'The panel "{panel.name}" is named twice; it stands at line {line} already'
            yield document.problem(("panels", index, "name"), message, "Give each panel a name of its own")
        first.setdefault(name, index)


#: What a rule writes for `panel:` instead of a panel's name.
_WORDS_FOR_PANELS = frozenset({"same", "cheapest", "next"})


def _words_for_panels(document: Document, configuration: Configuration) -> Iterator[Problem]:
    """A panel of such a name could be meant by a rule, and so could the word."""
    for index, panel in enumerate(configuration.panels):
        if panel.name.casefold() in _WORDS_FOR_PANELS:
            message = f'A panel can\'t be named "{panel.name}": `reorder: {{panel: …}}` has a meaning for it'
            yield document.problem(("panels", index, "name"), message, "Give it another name")


def _channel(document: Document, configuration: Configuration, key: str, name: str) -> Iterator[Problem]:
    """The channel that a setting names must be there."""
    if name in configuration.channels:
        return
    known = ", ".join(configuration.channels) or "none"
    suggestion = did_you_mean(name, configuration.channels) or f"Channels here: {known}"
    yield document.problem((key, "channel"), f'There is no channel "{name}"', suggestion)


def _alerts(document: Document, configuration: Configuration) -> Iterator[Problem]:
    """Channels and panels that alerts' settings name must be there."""
    panels = [panel.name for panel in configuration.panels]
    for index, quiet in enumerate(configuration.alerts.quiet_hours):
        for number, name in enumerate(quiet.channels):
            if name not in configuration.channels:
                trail: Trail = ("alerts", "quiet_hours", index, "channels")
                if isinstance(document.at(trail), list):
                    trail = (*trail, number)
                known = f"Channels here: {', '.join(configuration.channels) or 'none'}"
                suggestion = did_you_mean(name, configuration.channels) or known
                yield document.problem(trail, f'There is no channel "{name}"', suggestion)
    for index, window in enumerate(configuration.alerts.maintenance):
        if window.panel is not None and window.panel not in panels:
            suggestion = did_you_mean(window.panel, panels) or f"Panels here: {', '.join(panels)}"
            trail = ("alerts", "maintenance", index, "panel")
            yield document.problem(trail, f'There is no panel "{window.panel}"', suggestion)


def _gaps(document: Document, configuration: Configuration) -> Iterator[Problem]:
    """A gap no longer than the time between two looks would restart every hold at every look."""
    gap = configuration.observation_gap
    looks = [
        (getattr(panel.poll, name), name, ("panels", index, "poll", name))
        for index, panel in enumerate(configuration.panels)
        for name in ("orders", "refills", "balance")
    ]
    interval, name, trail = max(looks)
    if interval < gap:
        return
    message = (
        f"`observation_gap` ({format_duration(gap)}) must be longer than the time between two looks "
        f"at {name} ({format_duration(interval)}), or no hold would ever end"
    )
    suggestion = f"Write observation_gap: {format_duration(interval * 3)} or look more often"
    stated = isinstance(document.value, dict) and "observation_gap" in document.value
    yield document.problem(("observation_gap",) if stated else trail, message, suggestion)


def _paces(document: Document, configuration: Configuration) -> Iterator[Problem]:
    """The usual time between two looks at an order lies between the least and the most."""
    for index, panel in enumerate(configuration.panels):
        poll, (fastest, slowest) = panel.poll, panel.poll.bounds
        for name, bound, wrong in (
            ("fastest", fastest, fastest > poll.orders),
            ("slowest", slowest, slowest < poll.orders),
        ):
            if wrong:
                than = "longer" if name == "fastest" else "shorter"
                message = (
                    f"`{name}` ({format_duration(bound)}) must not be {than} than the usual time between two "
                    f"looks at orders ({format_duration(poll.orders)})"
                )
                suggestion = f"Leave `{name}` out, or write {name}: {format_duration(poll.orders)}"
                yield document.problem(("panels", index, "poll", name), message, suggestion)
