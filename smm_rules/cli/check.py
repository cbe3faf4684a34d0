"""`smm-rules check`: every problem of configuration and rules, found before anything runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from smm_rules.cli.annotations import as_annotations
from smm_rules.cli.context import (
    CONFIG_NAME,
    config_option,
    find_configuration,
    json_option,
    rule_paths,
)
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.terminal import counted, output, print_json, print_problems, safe
from smm_rules.config.load import load_configuration
from smm_rules.config.model import Configuration
from smm_rules.config.oddities import oddities
from smm_rules.document import Document, DocumentError, Problem, Severity, in_file_order, read_document
from smm_rules.garbage import nothing_is_garbage
from smm_rules.rules.loader import LoadedRules, load_rules
from smm_rules.rules.scope import scope_of

if TYPE_CHECKING:
    from smm_rules.cli.live import Trials

#: Top-level keys that only a configuration has; `rules` stands in both kinds of file.
_OF_A_CONFIGURATION = frozenset(Configuration.model_fields) - {"rules"}


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@config_option
@click.option("--live", is_flag=True, help="Try each panel's key too (read-only), and read every secret.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="text, json, or the annotations of a GitHub workflow.",
)
@json_option
def command(paths: tuple[Path, ...], config_path: Path | None, live: bool, form: str, as_json: bool) -> int:
    """Check configuration and rules; nothing is started.

    Without PATHS: the configuration and all its rules. With PATHS (rule files, directories, or a
    configuration): just these, against the panels and channels of --config or ./smm-rules.yaml where there
    is one.
    """
    with nothing_is_garbage():
        read = cache(read_document)  # what is named is read twice: to see what it is, and as that
        report = examine(subject_of(paths, config_path, read), os.environ, read)
    trials = None
    if live and report.errors == 0:
        trials = _try_live(report)
    if as_json or form == "json":
        print_json(_as_json(report, trials))
    else:
        if form == "github":
            click.echo(as_annotations(report.problems), nl=False)
        else:
            print_problems(report.problems, output())
        _print(report, trials, output())
    if report.errors or (trials is not None and trials.unavailable):
        return int(Exit.CONFIGURATION)
    return int(Exit.PANEL if trials is not None and trials.failed else Exit.DONE)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be checked. `by_the_way` is a configuration nobody named: faults in it are not errors."""

    configuration: Path | None
    rules: tuple[Path, ...]
    all_rules: bool
    by_the_way: bool = False


@dataclass(slots=True)
class Report:
    """What was found. `configuration` is None when there is none that can be used."""

    subject: Subject
    configuration: Configuration | None = None
    loaded: LoadedRules = field(default_factory=lambda: load_rules(()))
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def errors(self) -> int:
        return sum(problem.severity is Severity.ERROR for problem in self.problems)

    @property
    def warnings(self) -> int:
        return len(self.problems) - self.errors

    @property
    def files(self) -> tuple[Path, ...]:
        """The rule files that hold anything."""
        rules = (rule.position.file for rule in self.loaded.rules.rules if rule.position is not None)
        tests = (test.position.file for test in self.loaded.tests)
        return tuple(dict.fromkeys((*rules, *tests)))


def subject_of(
    paths: Sequence[Path], config_path: Path | None, read: Callable[[Path], Document] = read_document
) -> Subject:
    """What the command line asks to check. `Stop` when two configurations are named."""
    if not paths:
        return Subject(find_configuration(config_path), (), all_rules=True)
    named = [path for path in paths if is_configuration(path, read)]
    if len(named) > 1:
        raise Stop("One configuration can be checked at a time; two were named.", Exit.USAGE)
    rules = tuple(path for path in paths if path not in named)
    if named:
        return Subject(named[0], rules, all_rules=True)
    here = Path(CONFIG_NAME)
    if config_path is None and here.is_file():
        return Subject(here, rules, all_rules=False, by_the_way=True)
    return Subject(config_path, rules, all_rules=False)


def is_configuration(path: Path, read: Callable[[Path], Document] = read_document) -> bool:
    """Whether the file at `path` is a configuration, by its keys."""
    if not path.is_file():
        return False
    try:
        value = read(path).value
    except DocumentError:
        return False  # its faults are told when it is read as rules
    return isinstance(value, dict) and not _OF_A_CONFIGURATION.isdisjoint(value)


def examine(
    subject: Subject, environment: Mapping[str, str], read: Callable[[Path], Document] = read_document
) -> Report:
    """Everything that can be told without a panel, a channel or a secret."""
    report = Report(subject)
    if subject.configuration is not None:
        _read_configuration(report, subject.configuration, environment)
    configuration = report.configuration
    paths = subject.rules
    if subject.all_rules and configuration is not None:
        paths = (*rule_paths(configuration), *paths)
    try:
        report.loaded = load_rules(paths, scope_of(configuration) if configuration else None, read)
        report.problems.extend(report.loaded.warnings)
    except DocumentError as error:
        report.problems.extend(error.problems)
    report.problems = in_file_order(report.problems)
    return report


def _read_configuration(report: Report, path: Path, environment: Mapping[str, str]) -> None:
    try:
        report.configuration = load_configuration(path, environment)
        if not report.subject.by_the_way:
            report.problems.extend(oddities(read_document(path), report.configuration))
    except DocumentError as error:
        if report.subject.by_the_way:
            report.notes.append(
                f"{path} has problems of its own (see `smm-rules check`), so names of panels and channels "
                "were not checked."
            )
            return
        report.problems.extend(error.problems)
        if report.subject.all_rules:
            report.notes.append(f"The rules that {path} names were not checked: mend it first.")


def _try_live(report: Report) -> Trials:
    if report.configuration is None:
        raise Stop("--live tries the panels of a configuration; name one with --config.", Exit.USAGE)
    import asyncio  # late, both: the HTTP client takes longer to load than all else here

    from smm_rules.cli.live import try_all

    return asyncio.run(try_all(report.configuration, os.environ))


def _print(report: Report, trials: Trials | None, console: Console) -> None:
    for note in report.notes:
        console.print(f"[yellow]note[/]: {safe(note)}")
    if trials is not None:
        trials.print(console)
        refused = sum(bool(panel.error) for panel in trials.panels)
        if refused:
            console.print(f"[bold red]{refused} of {counted(len(trials.panels), 'panel')} failed.[/]")
    console.print(safe(summary(report)))


def summary(report: Report) -> str:
    """One line: what was found, or what is right."""
    if report.errors:
        files = len({problem.position.file for problem in report.problems})
        return f"{_counted(report)} in {counted(files, 'file')}; nothing was started."
    rules = counted(len(report.loaded.rules.rules), "rule")
    text = f"ok: {rules} in {counted(len(report.files), 'file')}"
    return f"{text}, {_counted(report)}" if report.warnings else text


def _counted(report: Report) -> str:
    counts = ((report.errors, "error"), (report.warnings, "warning"))
    return " and ".join(counted(count, noun) for count, noun in counts if count)


def _as_json(report: Report, trials: Trials | None) -> dict[str, object]:
    document: dict[str, object] = {
        "ok": report.errors == 0 and not (trials is not None and (trials.failed or trials.unavailable)),
        "configuration": report.subject.configuration,
        "rules": [rule.name for rule in report.loaded.rules.rules],
        "files": report.files,
        "errors": report.errors,
        "warnings": report.warnings,
        "problems": [
            {
                "file": problem.position.file,
                "line": problem.position.line,
                "column": problem.position.column,
                "severity": problem.severity,
                "message": problem.message,
                "suggestion": problem.suggestion,
            }
            for problem in report.problems
        ],
        "notes": report.notes,
    }
    if trials is not None:
        document |= trials.as_json()
    return document
