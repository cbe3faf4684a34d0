"""`smm-rules test`: the tests written in and beside rule files, played in simulated time."""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import click
from rich.console import Console

from smm_rules.cli.context import CONFIG_NAME, config_option, find_configuration, json_option, rule_paths
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.terminal import new_table, output, print_json, print_problems, print_table, safe
from smm_rules.config.load import load_configuration
from smm_rules.config.model import Configuration
from smm_rules.document import DocumentError
from smm_rules.facts import format_duration
from smm_rules.rehearsal.restraints import RULES_ALONE, Restraints, restraints_of
from smm_rules.rehearsal.testing.coverage import Coverage, RuleCoverage, percent
from smm_rules.rehearsal.testing.files import Suite, gather_tests
from smm_rules.rehearsal.testing.junit import junit_xml
from smm_rules.rehearsal.testing.model import RuleTest
from smm_rules.rehearsal.testing.playing import START, TestResult, play
from smm_rules.rules.scope import scope_of

_DEFAULT_DIRECTORY = Path("rules")


@click.command("test")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@config_option
@click.option("--coverage", is_flag=True, help="Show which clauses and steps no test has tried.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Fail when less than this is covered. Implies --coverage.",
)
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write the results as JUnit XML."
)
@click.option(
    "-k", "pattern", metavar="PATTERN", help="Only tests whose name holds this text or matches this glob."
)
@click.option(
    "--guards",
    is_flag=True,
    help="Under the guards of the configuration, as in the daemon. A test that states guards keeps its own.",
)
@click.option("-v", "--verbose", is_flag=True, help="List every test.")
@json_option
def command(
    paths: tuple[Path, ...],
    config_path: Path | None,
    coverage: bool,
    fail_under: float | None,
    junit: Path | None,
    pattern: str | None,
    guards: bool,
    verbose: bool,
    as_json: bool,
) -> int:
    """Play the tests written for rules; no panel is asked, nothing is stored.

    PATHS are rule files, files of tests, or directories of both. Without PATHS: the rules of the
    configuration, or ./rules.
    """
    needed = guards or (not paths and not _DEFAULT_DIRECTORY.is_dir())
    configuration = _configuration(config_path, needed=needed)
    suite = _suite(paths, configuration)
    restraints = restraints_of(configuration) if guards and configuration is not None else RULES_ALONE
    print_problems(suite.warnings)
    chosen = [test for test in suite.tests if pattern is None or _matches(test, pattern)]
    run = asyncio.run(_play_all(chosen, suite, restraints))
    if junit is not None:
        _write(junit, junit_xml(run.results, run.seconds))
    if as_json:
        print_json(_as_json(run))
    else:
        _print(run, output(), verbose=verbose, coverage=coverage or fail_under is not None)
        _print_verdict(run, fail_under, pattern)
    short = fail_under is not None and run.percent < fail_under
    return int(Exit.FAILED if run.failed or short or not run.results else Exit.DONE)


@dataclass(frozen=True, slots=True)
class Run:
    """All results of one command, how long each took in seconds, and what they cover."""

    results: tuple[TestResult, ...]
    seconds: tuple[float, ...]
    coverage: tuple[RuleCoverage, ...]

    @property
    def failed(self) -> int:
        return sum(not result.passed for result in self.results)

    @property
    def passed(self) -> int:
        return len(self.results) - self.failed

    @property
    def percent(self) -> float:
        """The covered share of all parts of all rules."""
        covered = sum(rule.covered for rule in self.coverage)
        return percent(covered, sum(rule.total for rule in self.coverage))


def _suite(paths: Sequence[Path], configuration: Configuration | None) -> Suite:
    """The tests that the command line asks for; names are checked where there is a configuration."""
    for path in paths:
        if not path.exists():
            raise Stop(f'There is no file or directory "{path}".', Exit.USAGE)
    wanted = paths or (rule_paths(configuration) if configuration is not None else (_DEFAULT_DIRECTORY,))
    scope = None
    if configuration is not None:
        scope = scope_of(configuration)
    return gather_tests(wanted, scope)


def _configuration(config_path: Path | None, *, needed: bool) -> Configuration | None:
    """The configuration given or found here. One nobody named is not to blame for its own faults."""
    if config_path is None and not needed and not Path(CONFIG_NAME).is_file():
        return None
    path = find_configuration(config_path)
    try:
        return load_configuration(path, os.environ)
    except DocumentError:
        if config_path is not None or needed:
            raise
        return None


def _matches(test: RuleTest, pattern: str) -> bool:
    wanted, name = pattern.casefold(), test.name.casefold()
    if any(character in wanted for character in "*?["):
        return fnmatchcase(name, wanted)
    return wanted in name


async def _play_all(tests: Sequence[RuleTest], suite: Suite, restraints: Restraints) -> Run:
    coverage = Coverage()
    results, seconds = [], []
    for test in tests:
        began = time.perf_counter()
        result = await play(test, coverage.swept, restraints)
        seconds.append(time.perf_counter() - began)
        coverage.taken(test.rules, result.stage.record.steps)
        results.append(result)
    return Run(tuple(results), tuple(seconds), coverage.of(suite.rules))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Stop(f"{path} can't be written: {error.strerror}.", Exit.USAGE) from error


# -- for people -----------------------------------------------------------------------------------------
def _print(run: Run, console: Console, *, verbose: bool, coverage: bool) -> None:
    by_file: defaultdict[Path, list[TestResult]] = defaultdict(list)
    for result in run.results:
        by_file[result.test.file].append(result)
    for file, results in by_file.items():
        console.print(f"{safe(file)}: {_tally(results)}")
        if verbose:
            for result in results:
                mark = "[green]passed[/]" if result.passed else "[bold red]failed[/]"
                console.print(f"  {mark}  {safe(result.test.name)}")
    for result in run.results:
        if not result.passed:
            _print_failures(result, console)
    if coverage:
        _print_coverage(run, console)


def _tally(results: Sequence[TestResult]) -> str:
    failed = sum(not result.passed for result in results)
    parts = [f"[green]{len(results) - failed} passed[/]"] if failed < len(results) else []
    return ", ".join([*parts, *([f"[bold red]{failed} failed[/]"] if failed else [])])


def _print_failures(result: TestResult, console: Console) -> None:
    test = result.test
    console.print(f"\n[bold red]failed[/] {safe(test.position)}: [bold]{safe(test.name)}[/]")
    rules = ", ".join(rule.name for rule in test.rules)
    console.print(f"  [dim]rules: {safe(rules)}; 0m is {START:%Y-%m-%d %H:%M:%SZ}[/]")
    for failure in result.failures:
        head = f"at {format_duration(failure.at)}: {failure.message}"
        console.print(f"  {safe(failure.position)}: {safe(head)}")
        for line in failure.details:
            console.print(f"      {safe(line)}", soft_wrap=True)


def _print_coverage(run: Run, console: Console) -> None:
    table = new_table("rule", "place", "covered", "", title="Coverage")
    for rule in run.coverage:
        share = f"{rule.covered}/{rule.total}"
        table.add_row(safe(rule.rule.name), safe(rule.rule.position), share, f"{rule.percent:.0f} %")
    console.print()
    print_table(table)
    gaps = [gap for rule in run.coverage for gap in rule.gaps]
    if gaps:
        console.print("\nNot tried:")
    for gap in gaps:
        console.print(f"  {safe(gap.position)}: {safe(gap.message)}")


def _print_verdict(run: Run, fail_under: float | None, pattern: str | None) -> None:
    console = output()
    if not run.results:
        what = f" that match {pattern}" if pattern else ""
        console.print(f"[bold red]There are no tests{safe(what)}.[/]")
        return
    if fail_under is not None:
        met = run.percent >= fail_under
        style, verb = ("green", "reaches") if met else ("bold red", "is below")
        console.print(f"[{style}]coverage {run.percent:.1f} % {verb} {fail_under:g} %[/]")
    console.print(_tally(run.results))


# -- for scripts ----------------------------------------------------------------------------------------
def _as_json(run: Run) -> dict[str, object]:
    return {
        "ok": bool(run.results) and not run.failed,
        "passed": run.passed,
        "failed": run.failed,
        "tests": [_test_shape(result) for result in run.results],
        "coverage": {
            "percent": f"{run.percent:.1f}",
            "rules": [
                {
                    "rule": rule.rule.name,
                    "file": rule.rule.position.file if rule.rule.position else None,
                    "covered": rule.covered,
                    "total": rule.total,
                    "gaps": [
                        {"file": gap.position.file, "line": gap.position.line, "message": gap.message}
                        for gap in rule.gaps
                    ],
                }
                for rule in run.coverage
            ],
        },
    }


def _test_shape(result: TestResult) -> dict[str, object]:
    test = result.test
    return {
        "name": test.name,
        "file": test.file,
        "line": test.position.line,
        "passed": result.passed,
        "rules": [rule.name for rule in test.rules],
        "failures": [
            {
                "at": failure.at,
                "file": failure.position.file,
                "line": failure.position.line,
                "column": failure.position.column,
                "message": failure.message,
                "details": failure.details,
            }
            for failure in result.failures
        ],
    }
