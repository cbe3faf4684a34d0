"""`smm-rules silence`: keep alerts back for a time."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.cli.brakes.targets import end_of_pause
from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    operator_name,
    read_configuration,
)
from smm_rules.cli.exits import Stop
from smm_rules.cli.group import Group
from smm_rules.cli.shapes import silence_shape
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import counted, errors, output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.facts import EntityKind
from smm_rules.ledger.alerts import OPEN, Matcher
from smm_rules.standing.alerts import silence_in_words

_LEVELS = ("debug", "info", "warning", "error")
_MANY = 10_000


@click.group("silence", cls=Group)
def command() -> None:
    """Silences: alerts that are kept back until a time."""


@command.command("add")
@click.option("--rule", default="", metavar="NAME", help="Alerts of this rule; * stands for any text.")
@click.option("--panel", default="", metavar="NAME", help="Alerts of this panel; * stands for any text.")
@click.option("--kind", type=click.Choice([*(kind.value for kind in EntityKind)]), help="About such things.")
@click.option("--entity", default="", metavar="ID", help="About this order, refill or service.")
@click.option("--level", type=click.Choice(_LEVELS), help="Of this level.")
@click.option("--for", "lasting", metavar="DURATION", help="It ends after this time, like 2h.")
@click.option("--until", metavar="TIME", help="It ends at this time (UTC unless it says a zone).")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is shown and written down.")
@config_option
@json_option
@asynchronous
async def add(
    rule: str,
    panel: str,
    kind: str | None,
    entity: str,
    level: str | None,
    lasting: str | None,
    until: str | None,
    reason: str,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Keep back the alerts that match all that is given, at once, also while the daemon runs.

    Rules fire and act as ever. What still goes on at the end is told then, in one message.

    \b
    smm-rules silence add --rule low-balance --panel main --for 2h --reason "topping it up"
    """
    matcher = Matcher(rule, panel, kind or "", entity, level or "")
    if not matcher.given:
        raise click.UsageError(
            "say which alerts: --rule, --panel, --kind, --entity or --level; --rule '*' for all"
        )
    now = SystemClock().now()
    ends_at = end_of_pause(lasting, until, now)
    if ends_at is None:
        raise click.UsageError("say how long: --for or --until")
    if ends_at <= now:
        raise click.BadParameter("it would be over at once", param_hint="--for")
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        silence = await ledger.add_silence(matcher, reason, operator_name(), now, ends_at)
        going_on = await ledger.alerts(OPEN, _MANY)
    matching = sum(matcher.matches(alert.labels) for alert in going_on)
    if as_json:
        print_json(silence_shape(silence) | {"matching": matching})
        return
    console = output()
    console.print(safe(silence_in_words(silence, now)))
    console.print(f"It matches {counted(matching, 'alert')} that go on now.")
    console.print(f"To end it before: smm-rules silence end {silence.id}")


@command.command("list")
@click.option("--all", "past", is_flag=True, help="Also those that have ended.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many.")
@config_option
@json_option
@asynchronous
async def list_silences(past: bool, limit: int, config_path: Path | None, as_json: bool) -> None:
    """List silences, by whom and why."""
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        found = await ledger.silences(limit if past else None)
    if as_json:
        print_json([silence_shape(silence) for silence in found])
        return
    if not found:
        errors().print("There never was a silence." if past else "There is no silence.")
    now = SystemClock().now()
    for silence in found:
        output().print(safe(silence_in_words(silence, now)))


@command.command("end")
@click.argument("silence_id", metavar="ID", type=click.IntRange(min=1))
@config_option
@json_option
@asynchronous
async def end(silence_id: int, config_path: Path | None, as_json: bool) -> None:
    """End a silence: what it kept back and still goes on is told now."""
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        if not await ledger.end_silence(silence_id, SystemClock().now(), operator_name()):
            raise Stop(f"Silence {silence_id} has ended, or there is none: smm-rules silence list --all")
    if as_json:
        print_json({"ended": silence_id})
    else:
        output().print(f"Silence {silence_id} ended.")
