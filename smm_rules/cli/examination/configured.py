"""The configuration, its rules, its secrets and its channels."""

from __future__ import annotations

import importlib.util
import os
import stat
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from smm_rules.cli.context import rule_paths
from smm_rules.cli.examination.beside import user_name
from smm_rules.cli.examination.finding import Finding, ok, problem, warning
from smm_rules.cli.examination.secret import examine_secret
from smm_rules.config.model import Configuration
from smm_rules.config.oddities import oddities
from smm_rules.config.secrets import InlineSecret
from smm_rules.document import DocumentError, Problem, read_document
from smm_rules.intake import SourceRefused
from smm_rules.intake.sql.database import missing
from smm_rules.intake.sql.rows import meanings
from smm_rules.matching.file import PROPOSED, load_mapping
from smm_rules.matching.market import exchange_rates
from smm_rules.rules.loader import load_rules
from smm_rules.rules.scope import scope_of

_CHECK = "Run smm-rules check: it shows every problem with its place"
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


def unusable(problems: tuple[Problem, ...]) -> Finding:
    """A configuration that can't be read."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return problem("configuration", f"{problems[0]}{more}", _CHECK)


def examine_configuration(
    path: Path, configuration: Configuration, environment: Mapping[str, str]
) -> Iterator[Finding]:
    """Everything about a configuration that loads."""
    panels, channels = len(configuration.panels), len(configuration.channels)
    yield ok("configuration", f"{path}: panels {panels}, channels {channels}, mode {configuration.mode}")
    for odd in oddities(read_document(path), configuration):
        yield warning("panels", f"{odd.position}: {odd.message}", odd.suggestion)
    yield from _modes(path, configuration)
    yield from _owners(path, configuration)
    yield _rules(configuration)
    yield from _equal_services(configuration)
    yield from _secrets(configuration, environment)
    yield from _operator(configuration)
    yield from _extras(configuration)
    yield from _drop_folder(configuration)
    yield from _sources(configuration)


def _modes(path: Path, configuration: Configuration) -> Iterator[Finding]:
    for file in (path, *configuration.rule_sources):
        mode = _mode(file)
        if mode & _WRITABLE_BY_OTHERS:
            found = f"{file} can be changed by other users (mode {mode:04o}): they could spend your money"
            yield warning("files", found, f"chmod go-w {file}")
    inline = any(
        isinstance(address, InlineSecret)
        for channel in configuration.channels.values()
        for address in channel.apprise or ()
    )
    mode = _mode(path)
    if inline and mode & _READABLE_BY_OTHERS:
        found = f"{path} holds a channel's address with its secrets and others can read it (mode {mode:04o})"
        yield warning("files", found, f"chmod 600 {path}, or write {{env: NAME}} in place of the address")


def _owners(path: Path, configuration: Configuration) -> Iterator[Finding]:
    """Who owns a file can change it, whatever its mode: that is to be you, root, or the daemon's user."""
    trusted = {0, os.geteuid()}
    if isinstance(configuration.ledger, Path) and configuration.ledger.exists():
        trusted.add(configuration.ledger.stat().st_uid)
    for file in (path, *configuration.rule_sources):
        if file.exists() and file.stat().st_uid not in trusted:
            owner = user_name(file.stat().st_uid)
            found = f"{file} belongs to {owner}, who could spend your money by changing it"
            yield warning("files", found, f"chown root {file}")


def _mode(path: Path) -> int:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return 0  # that it can't be read is told where it is read


def _rules(configuration: Configuration) -> Finding:
    try:
        loaded = load_rules(rule_paths(configuration), scope_of(configuration))
    except DocumentError as error:
        return problem("rules", f"{len(error.problems)} errors, the first: {error.problems[0]}", _CHECK)
    count = len(loaded.rules.rules)
    if loaded.warnings:
        return warning("rules", f"{count} loaded; {loaded.warnings[0]}", _CHECK)
    if not count:
        return warning("rules", "there are none: everything is watched, nothing is done", "Write one")
    return ok("rules", f"{count} loaded")


def _equal_services(configuration: Configuration) -> Iterator[Finding]:
    if configuration.services is None:
        return
    file = configuration.services
    try:
        known = load_mapping(file, [panel.name for panel in configuration.panels])
    except DocumentError as error:
        yield problem("equal services", str(error.problems[0]), _CHECK)
        return
    found = f"{file}: {len(known.equal.groups)} groups confirmed"
    waiting = sum(1 for _ in known.entries(PROPOSED))
    if waiting:
        found += f", {waiting} proposals wait for your word"
    yield ok("equal services", f"{found}; against the catalogues: smm-rules services match --check")


def examine_exchange_rates(configuration: Configuration, now: datetime) -> Iterator[Finding]:
    """Rates that are too old compare nothing, and are found out about when a panel is to be chosen."""
    if configuration.exchange_rates is None:
        return
    rates = exchange_rates(configuration.exchange_rates)
    refused = rates.refused(now)
    if refused:
        remedy = "Look them up, and write them with their day: exchange_rates: {as_of: …, rates: …}"
        yield warning("exchange rates", f"{refused}: prices in several currencies aren't compared", remedy)
    else:
        yield ok("exchange rates", f"of {rates.as_of.isoformat()}, {len(rates.rates)} to {rates.base}")


def _secrets(configuration: Configuration, environment: Mapping[str, str]) -> Iterator[Finding]:
    keys = {f"key of {panel.name}": panel.key for panel in configuration.panels}
    others = {
        f"secret of {name}": reference
        for name, channel in configuration.channels.items()
        for reference in channel.references
    }
    others |= {
        f"password of {source.name}": source.password
        for source in configuration.intake.sql
        if source.password is not None
    }
    for subject, reference in (keys | others).items():
        yield examine_secret(subject, reference, environment)


def _operator(configuration: Configuration) -> Iterator[Finding]:
    if configuration.operator is None:
        found = "no channel: an action in doubt is told in the log alone"
        yield warning("operator", found, "Write operator: {channel: NAME} into the configuration")
        return
    name = configuration.operator.channel
    if configuration.channels[name].log is not None:
        found = f'channel "{name}" is the log: an action in doubt waits until somebody reads it'
        yield warning("operator", found, "Give the operator a channel that reaches a person")
    else:
        yield ok("operator", f'told by channel "{name}" ({configuration.channels[name].type})')


def _extras(configuration: Configuration) -> Iterator[Finding]:
    wanted = sorted(name for name, channel in configuration.channels.items() if channel.apprise)
    if importlib.util.find_spec("apprise") is not None:
        yield ok("extra apprise", "installed")
    elif wanted:
        found = f"not installed, and these channels need it: {', '.join(wanted)}"
        yield problem("extra apprise", found, "pip install 'smm-rules[apprise]'")
    else:
        yield ok("extra apprise", "not installed, and no channel needs it")
    if configuration.tracing is not None:
        if _is_there("opentelemetry.exporter.otlp.proto.http") and _is_there("opentelemetry.sdk"):
            yield ok("extra tracing", "installed")
        else:
            found = "not installed, and `tracing` needs it: the daemon doesn't start"
            yield problem("extra tracing", found, "pip install 'smm-rules[tracing]'")
    simulator = all(importlib.util.find_spec(name) for name in ("starlette", "uvicorn"))
    needed = "not installed; only `simulate` and `demo` need it"
    yield ok("extra simulator", "installed" if simulator else needed)


def _is_there(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False


def _drop_folder(configuration: Configuration) -> Iterator[Finding]:
    folder = configuration.drop_folder
    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        yield problem("drop folder", f"{folder} is not a directory", "Name a directory in `drop_folder`")
    elif folder.is_dir():
        yield ok("drop folder", f"{folder}")
    else:
        yield ok("drop folder", f"{folder} is not there yet; the daemon makes it")


def _sources(configuration: Configuration) -> Iterator[Finding]:
    """Databases of orders, without asking them: `orders source try` does."""
    for source in configuration.intake.sql:
        subject = f"source {source.name}"
        wanted = missing(source)
        try:
            meanings(source)
        except SourceRefused as refusal:
            yield problem(subject, refusal.what, refusal.to_do or "Look at its `columns`")
            continue
        if wanted:
            found = "what reads it isn't installed"
            yield problem(subject, found, f"pip install 'smm-rules[{wanted}]'")
        else:
            yield ok(subject, f"{source.url}; try it: smm-rules orders source try {source.name}")
