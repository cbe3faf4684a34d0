"""`smm-rules alerts`: what goes on, what was told of it and what wasn't, and saying that one knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import click

from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    operator_name,
    read_configuration,
)
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.group import Group
from smm_rules.cli.pairs import print_pairs
from smm_rules.cli.shapes import ago, alert_message_shape, alert_shape, moment
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import counted, errors, new_table, output, print_json, print_table, safe
from smm_rules.clock import SystemClock
from smm_rules.ledger.alerts import OPEN, Alert, AlertMessage, AlertState
from smm_rules.standing.alerts import not_firing, told

_STYLES = {AlertState.FIRING: "bold red", AlertState.ACKNOWLEDGED: "yellow", AlertState.RESOLVED: "green"}
_UNLIMITED = 2**62


@click.group("alerts", cls=Group)
def command() -> None:
    """Alerts: what rules told of and still goes on."""


@command.command("list")
@click.option("--all", "past", is_flag=True, help="Also those that are over.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=50, show_default=True, help="At most so many; 0 for all."
)
@config_option
@json_option
@asynchronous
async def list_alerts(past: bool, limit: int, config_path: Path | None, as_json: bool) -> None:
    """List the alerts that go on, the newest first, and how far anybody was told of them."""
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        found = await ledger.alerts(() if past else OPEN, limit + 1 if limit else _UNLIMITED)
        shown = found[:limit] if limit else found
        messages = await ledger.alert_messages([alert.key for alert in shown])
    if as_json:
        print_json([alert_shape(alert, messages.get(alert.key, ())) for alert in shown])
        return
    if not shown:
        errors().print("There are no alerts." if past else "No alert goes on.")
        return
    _show_table(shown, messages, SystemClock().now())
    if len(found) > len(shown):
        errors().print(f"There are more: --limit {limit * 10} shows more, --limit 0 all.")


@command.command("show")
@click.argument("alert_id", metavar="ID", type=click.IntRange(min=1))
@config_option
@json_option
@asynchronous
async def show(alert_id: int, config_path: Path | None, as_json: bool) -> None:
    """Show an alert with each of its messages: sent, waiting or suppressed, and why."""
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        alert = _found(await ledger.alert(alert_id), alert_id)
        messages = (await ledger.alert_messages([alert.key])).get(alert.key, ())
    if as_json:
        print_json(
            alert_shape(alert, messages) | {"messages": [alert_message_shape(one) for one in messages]}
        )
        return
    acknowledged = ""
    if alert.acknowledged_at is not None:
        acknowledged = f"{moment(alert.acknowledged_at)} by {alert.acknowledged_by}"
    output().print(f"Alert {alert.id}: {safe(alert.rule)} on {safe(str(alert.entity))}")
    print_pairs(
        {
            "state": alert.state.value,
            "level": alert.level,
            "since": moment(alert.episode),
            "told of since": moment(alert.fired_at),
            "acknowledged": acknowledged,
            "because": alert.acknowledged_why,
            "over since": moment(alert.resolved_at),
        }
    )
    table = new_table("message", "says", "channel", "state", "why")
    for one in messages:
        table.add_row(str(one.id), one.telling, safe(one.channel), one.state.value, one.why.replace("_", " "))
    print_table(table)


@command.command("ack")
@click.argument("ids", metavar="ID…", nargs=-1, required=True, type=click.IntRange(min=1))
@click.option("--reason", required=True, metavar="TEXT", help="What is done about it; it is written down.")
@config_option
@json_option
@asynchronous
async def acknowledge(ids: Sequence[int], reason: str, config_path: Path | None, as_json: bool) -> int:
    """Say that you know of an alert: nobody is reminded of it any more, or told in your stead.

    Its end is told all the same.
    """
    configuration = read_configuration(config_path)
    done: list[int] = []
    async with open_existing(configuration) as ledger:
        for alert_id in dict.fromkeys(ids):
            alert, changed = await ledger.acknowledge(alert_id, operator_name(), reason, SystemClock().now())
            if changed:
                done.append(alert_id)
            else:
                errors().print(f"[bold red]error[/]: {safe(not_firing(alert, alert_id))}")
    failed = sorted(set(ids) - set(done))
    if as_json:
        print_json({"changed": done, "failed": failed})
    elif done:
        output().print(f"{counted(len(done), 'alert')} acknowledged.")
    return int(Exit.FAILED if failed else Exit.DONE)


def _found(alert: Alert | None, alert_id: int) -> Alert:
    if alert is None:
        raise Stop(f"There is no alert {alert_id}: smm-rules alerts list --all")
    return alert


def _show_table(
    alerts: Sequence[Alert], messages: Mapping[str, tuple[AlertMessage, ...]], now: datetime
) -> None:
    table = new_table("id", "state", "level", "rule", "about", "since", "told")
    table.columns[0].justify = "right"
    for alert in alerts:
        table.add_row(
            str(alert.id),
            f"[{_STYLES[alert.state]}]{alert.state}[/]",
            alert.level,
            safe(alert.rule),
            safe(str(alert.entity)),
            f"{ago(alert.fired_at, now)} ago",
            told(messages.get(alert.key, ())),
        )
    print_table(table)
