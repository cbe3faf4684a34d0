"""`smm-rules intents show`: one action, from the rule that asked for it to what there is to do."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from smm_rules.actions.failover import choice_of
from smm_rules.actions.queueing import Behind, waits_behind_stopped
from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    read_configuration,
)
from smm_rules.cli.exits import Stop
from smm_rules.cli.pairs import print_pairs
from smm_rules.cli.shapes import intent_shape, moment, transition_shapes, until
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import new_table, output, plain, print_json, print_table, safe
from smm_rules.clock import SystemClock
from smm_rules.engine.firing import Firing
from smm_rules.explanation.choices import choice_in_words
from smm_rules.ledger.records import Intent, Transition
from smm_rules.observe import correlation_of
from smm_rules.standing.evidence import money_in_words, other_evidence, sent_parameters, suggestion_in_words
from smm_rules.standing.next_steps import what_next
from smm_rules.standing.since import Since, gather_since, since_in_words, since_shape
from smm_rules.standing.stops import in_words


@click.command("show")
@click.argument("intent_id", metavar="ID", type=click.IntRange(min=1))
@config_option
@json_option
@asynchronous
async def show(intent_id: int, config_path: Path | None, as_json: bool) -> None:
    """Show an action: what was asked for, by which rule and on which facts; every change; what to do next."""
    configuration = read_configuration(config_path)
    async with open_existing(configuration) as ledger:
        intent = await ledger.intent(intent_id)
        if intent is None:
            raise Stop(f"There is no intent {intent_id}. See: smm-rules intents list")
        transitions = await ledger.transitions(intent_id)
        firing = None if intent.firing is None else await ledger.firing(intent.firing)
        now = SystemClock().now()
        since = await gather_since(ledger, intent, now)
        behind = await waits_behind_stopped(ledger, intent, now)
    if as_json:
        print_json(
            {
                **intent_shape(intent),
                "correlation": _correlation(intent),
                "transitions": transition_shapes(transitions),
                "asked_by": _firing_shape(firing),
                "suggestion": suggestion_in_words(intent),
                "choice": choice_in_words(choice_of(intent)) or None,
                "since_then": since_shape(since),
                "behind": None if behind is None else {"intent": behind.other.id, "stop": behind.stop.id},
                "next": what_next(intent, behind),
            }
        )
        return
    _show(intent, transitions, firing, since, behind, now)


def _firing_shape(firing: Firing | None) -> dict[str, object] | None:
    if firing is None:
        return None
    return {
        "rule": firing.rule,
        "rule_version": firing.rule_version,
        "entity": firing.entity,
        "root": firing.root,
        "episode": firing.episode,
        "occasion": firing.occasion,
        "at": firing.at,
        "facts": firing.facts,
    }


def _show(
    intent: Intent,
    transitions: tuple[Transition, ...],
    firing: Firing | None,
    since: Since,
    behind: Behind | None,
    now: datetime,
) -> None:
    console = output()
    console.print(f"[bold]Intent {intent.id}: {intent.kind} on {safe(intent.panel)}, {intent.state}[/]")
    print_pairs(
        {
            "about": str(intent.entity),
            "asked by": _asker(intent, firing),
            "reason": intent.message or intent.reason,
            "waits": "" if behind is None else f"behind intent {behind.other.id}: {in_words(behind.stop)}",
            "made": intent.result,
            "attempts": str(intent.attempts) if intent.attempts else "",
            "next attempt": until(intent.not_before, now) if intent.not_before else "",
            "in the log": f"smm-rules logs --correlation {_correlation(intent)}",
        }
    )
    _section("Sent" if sent_parameters(intent) else "Asked for", sent_parameters(intent) or intent.parameters)
    _section("Which panel", choice_in_words(choice_of(intent)))
    _section("Money", money_in_words(intent))
    if firing is not None:
        _section("Facts it was decided on", {name: str(plain(value)) for name, value in firing.facts.items()})
    _section("Evidence", {"the balance says": suggestion_in_words(intent), **other_evidence(intent)})
    _section("Since then", since_in_words(since))
    console.print("\n[bold]What happened[/]")
    table = new_table("  at", "state", "why", "by")
    for change in transitions:
        table.add_row(
            f"  {moment(change.at)}", change.after, safe(change.message or change.reason), safe(change.by)
        )
    print_table(table)
    console.print("\n[bold]Next[/]")
    for line in what_next(intent, behind):
        console.print(f"  {safe(line)}")


def _section(title: str, pairs: dict[str, str]) -> None:
    if any(pairs.values()):
        output().print(f"\n[bold]{title}[/]")
        print_pairs(pairs)


def _correlation(intent: Intent) -> str:
    """What ties together all the log has of the episode that asked for it."""
    return correlation_of(intent.rule, intent.entity, intent.episode)


def _asker(intent: Intent, firing: Firing | None) -> str:
    if firing is None:
        return f"{intent.rule}, {moment(intent.planned_at)}"
    return (
        f"rule {intent.rule} ({intent.step}), {firing.occasion} {moment(firing.at)}, "
        f"holding since {moment(firing.episode)}"
    )
