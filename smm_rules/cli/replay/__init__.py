"""`smm-rules replay`: what rules would have done over the recorded history, beside what was done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration, rule_paths
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.moments import moment_before
from smm_rules.cli.replay.printing import print_report
from smm_rules.cli.replay.shape import report_shape
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, output, print_json, safe
from smm_rules.config.model import Configuration
from smm_rules.facts import Entity
from smm_rules.rehearsal.replay.happened import happened
from smm_rules.rehearsal.replay.model import Span
from smm_rules.rehearsal.replay.page import html_page
from smm_rules.rehearsal.replay.replaying import ReplaySettings, replay
from smm_rules.rehearsal.replay.report import Report, Side
from smm_rules.rehearsal.restraints import restraints_of
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import RuleSet
from smm_rules.rules.scope import scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from smm_rules.ledger.sql.ledger import SqlLedger

_REAL, _IN_FORCE, _GIVEN = "happened", "rules in force", "rules given"


@click.command("replay")
@config_option
@click.option(
    "--since", default="7d", show_default=True, help="From when: 7d for so long ago, or a date or time (UTC)."
)
@click.option("--until", default="0s", help="Until when, likewise. Default: now.")
@click.option(
    "--rules",
    "rule_paths",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Play these rules (files, directories) instead of those in force; may be given again.",
)
@click.option("--panel", help="Only what is on this panel.")
@click.option(
    "--diff",
    is_flag=True,
    help="Show only where it differs: from what happened and, with --rules, from the rules in force.",
)
@click.option("--plot", is_flag=True, help="Show bars of firings and money, day by day.")
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write one page with charts and tables.",
)
@json_option
@asynchronous
async def command(
    config_path: Path | None,
    since: str,
    until: str,
    rule_paths: tuple[Path, ...],
    panel: str | None,
    diff: bool,
    plot: bool,
    page: Path | None,
    as_json: bool,
) -> int:
    """Run rules over the recorded history without acting.

    Shows for each rule what it would have done and spent, beside what was done and spent. Nothing is sent,
    and the ledger stays as it is.
    """
    configuration = read_configuration(config_path)
    now = datetime.now(UTC)
    span = Span(moment_before(since, now), moment_before(until, now))
    if span.since >= span.until:
        raise Stop("--since must lie before --until.", Exit.USAGE)
    if panel is not None and configuration.panel(panel) is None:
        known = ", ".join(each.name for each in configuration.panels)
        raise Stop(f'There is no panel "{panel}" in the configuration. There are: {known}.', Exit.USAGE)
    sets = _rule_sets(configuration, rule_paths, diff=diff)
    async with open_existing(configuration) as ledger:
        report = await _report(ledger, configuration, span, sets, panel)
    if page is not None:
        _write(page, html_page(report, now))
    if as_json:
        print_json(report_shape(report, only_differences=diff))
    else:
        print_report(report, output(), diff=diff, plot=plot)
        if page is not None:
            errors().print(f"Written: {safe(page)}")
    return int(Exit.DONE)


def _rule_sets(
    configuration: Configuration, paths: Sequence[Path], *, diff: bool
) -> list[tuple[str, RuleSet]]:
    """The rules to play, by title: those given, beside those in force where they are to be compared."""
    scope = scope_of(configuration)
    sets = []
    if not paths or diff:
        sets.append((_IN_FORCE, load_rules(rule_paths(configuration), scope).rules))
    if paths:
        sets.append((_GIVEN, load_rules(paths, scope).rules))
    return sets


async def _report(
    ledger: SqlLedger,
    configuration: Configuration,
    span: Span,
    sets: Sequence[tuple[str, RuleSet]],
    panel: str | None,
) -> Report:
    settings = _settings(configuration, panel)
    sides = []
    for title, rules in sets:
        with _progress(title, span) as progress:
            replayed = await replay(ledger, rules, span, settings, progress)
        sides.append(Side(f"would: {title}", replayed.account, replayed))
    real = Side(_REAL, await happened(ledger, span, panel))
    slowest = max(poll.orders for poll in (each.poll for each in configuration.panels))
    return Report(span, real, tuple(sides), slowest * 2)


def _settings(configuration: Configuration, panel: str | None) -> ReplaySettings:
    polls = {each.name: each.poll for each in configuration.panels}
    first = configuration.panels[0].poll

    def interval(entity: Entity) -> timedelta:
        poll = polls.get(entity.panel, first)
        kinds = {"order": poll.orders, "refill": poll.refills, "service": poll.catalogue}
        return kinds.get(entity.kind.value, poll.balance)

    return ReplaySettings(
        tuple(polls),
        interval,
        configuration.settle_after,
        configuration.observation_gap,
        panel,
        restraints_of(configuration),
    )


@contextmanager
def _progress(title: str, span: Span) -> Iterator[Callable[[datetime], None]]:
    """How far the replay is, on a terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=errors(), transient=True, disable=not errors().is_terminal) as bar:
        task = bar.add_task(f"{title}: reading the history")

        def tell(at: datetime) -> None:
            warming = " (before the time asked for)" if at < span.since else ""
            bar.update(task, description=f"{title}: {at:%Y-%m-%d %H:%M}{warming}")

        yield tell


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Stop(f"{path} can't be written: {error.strerror}.", Exit.USAGE) from error
