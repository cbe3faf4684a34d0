"""`smm-rules doctor`: is everything fit to run here?"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from smm_rules.cli.context import config_option, find_configuration, json_option
from smm_rules.cli.examination.configured import (
    examine_configuration,
    examine_exchange_rates,
    unusable,
)
from smm_rules.cli.examination.finding import Finding, State, problem
from smm_rules.cli.examination.intake import examine_intake
from smm_rules.cli.examination.machine import examine_clock, examine_systemd
from smm_rules.cli.examination.reached import examine_channels, examine_panels, unasked
from smm_rules.cli.examination.stored import examine_ledger
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.terminal import counted, new_table, output, print_json, print_table, safe
from smm_rules.clock import Clock, SystemClock
from smm_rules.config.load import load_configuration
from smm_rules.config.model import Configuration
from smm_rules.document import DocumentError

_STYLES = {State.OK: "green", State.WARNING: "yellow", State.PROBLEM: "bold red", State.SKIPPED: "dim"}


@click.command("doctor")
@config_option
@click.option("--offline", is_flag=True, help="Ask neither DNS nor panels.")
@click.option("--send", is_flag=True, help="Send a test message through every channel.")
@json_option
def command(config_path: Path | None, offline: bool, send: bool, as_json: bool) -> int:
    """Look whether everything is fit to run here, and say what to do where it isn't.

    Only looks: each panel is asked for its balance, no file is made, and no message is sent without --send.
    Exit code 0 when there is no problem, warnings or not; 1 when there is one.
    """
    if offline and send:
        raise click.UsageError("--offline and --send don't go together")
    findings = examine(config_path, os.environ, SystemClock(), offline=offline, send=send)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    problems = any(finding.is_fault for finding in findings)
    return int(Exit.FAILED if problems else Exit.DONE)


def examine(
    config_path: Path | None,
    environment: Mapping[str, str],
    clock: Clock,
    *,
    offline: bool,
    send: bool = False,
) -> list[Finding]:
    """Everything there is to find; a configuration that can't be used keeps the rest from nothing."""
    now = clock.now()
    findings, configuration = _configured(config_path, environment)
    if configuration is not None:
        findings += examine_exchange_rates(configuration, now)
        findings += examine_ledger(configuration, environment, now)
        findings += asyncio.run(_reached(configuration, environment, clock, offline=offline, send=send))
    told_of_clock = any(finding.subject == "clock" for finding in findings)
    findings += [one for one in examine_clock(now) if not (told_of_clock and one.subject == "clock")]
    findings += examine_systemd(environment)
    return findings


async def _reached(
    configuration: Configuration,
    environment: Mapping[str, str],
    clock: Clock,
    *,
    offline: bool,
    send: bool,
) -> list[Finding]:
    channels = await examine_channels(configuration, environment, clock.now(), send=send)
    intake = await examine_intake(configuration, environment)
    if offline:
        return [*unasked(configuration), *channels, *intake]
    return [*await examine_panels(configuration, environment, clock), *channels, *intake]


def _configured(
    config_path: Path | None, environment: Mapping[str, str]
) -> tuple[list[Finding], Configuration | None]:
    try:
        path = find_configuration(config_path)
    except Stop as stop:
        found, _, remedy = stop.message.partition(". ")
        return [problem("configuration", found, remedy)], None
    try:
        configuration = load_configuration(path, environment)
    except DocumentError as error:
        return [unusable(error.problems)], None
    return list(examine_configuration(path, configuration, environment)), configuration


def _print(findings: Sequence[Finding]) -> None:
    table = new_table("State", "What", "Found")
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for finding in findings:
        style = _STYLES[finding.state]
        table.add_row(f"[{style}]{finding.state}[/]", safe(finding.subject), _told(finding))
    print_table(table)
    counts = Counter(finding.state for finding in findings)
    if counts[State.PROBLEM] or counts[State.WARNING]:
        problems, warnings = counts[State.PROBLEM], counts[State.WARNING]
        output().print(f"{counted(problems, 'problem')}, {counted(warnings, 'warning')}")
    else:
        output().print("[green]Everything is fit to run.[/]")


def _told(finding: Finding) -> str:
    if not finding.remedy:
        return safe(finding.found)
    return f"{safe(finding.found)}\n[bold]→ {safe(finding.remedy)}[/]"
