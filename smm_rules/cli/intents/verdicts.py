"""`smm-rules intents approve` and `deny`: whether what is held goes ahead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from smm_rules import actions
from smm_rules.cli.asking import ask_first, yes_option
from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    operator_name,
    read_configuration,
)
from smm_rules.cli.exits import Exit
from smm_rules.cli.shapes import intent_shape
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.config.model import Configuration
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.standing.overview import held_back, stamp_trouble

_UNLIMITED = 2**62
Verdict = Callable[[SqlLedger, int, datetime, str], Awaitable[Intent]]


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What both verdicts take."""
    for option in (
        json_option,
        config_option,
        yes_option,
        click.option("--all", "all_of_it", is_flag=True, help="Everything held that --rule asked for."),
        click.option("--rule", metavar="RULE", help="With --all: the rule."),
        click.argument("ids", nargs=-1, type=click.IntRange(min=1), metavar="[ID…]"),
    ):
        command = option(command)
    return command


@click.command("approve")
@_options
@asynchronous
async def approve(
    ids: Sequence[int], rule: str | None, all_of_it: bool, yes: bool, config_path: Path | None, as_json: bool
) -> int:
    """Let held actions go ahead, past what they were held for: by their IDs, or `--rule RULE --all`.

    The daemon sends them at its next look, after checking price, bounds and balance of that moment.
    """
    configuration = read_configuration(config_path)
    done, failed = await _pass(actions.approve, "approve", ids, rule, all_of_it, yes, configuration)
    _tell("approved", done, failed, as_json)
    if done:
        await _tell_what_stops_all(configuration)
    if done and configuration.mode != "live":
        mode = configuration.mode
        errors().print(f"The configuration says mode: {mode}, so the daemon will hold them again.")
    elif done and not await _daemon_runs(configuration):
        errors().print("No daemon is running now: they are sent once one is started (smm-rules run).")
    return int(Exit.FAILED if failed else Exit.DONE)


@click.command("deny")
@_options
@asynchronous
async def deny(
    ids: Sequence[int], rule: str | None, all_of_it: bool, yes: bool, config_path: Path | None, as_json: bool
) -> int:
    """Refuse held actions for good: by their IDs, or `--rule RULE --all`. Nothing is sent, ever."""
    configuration = read_configuration(config_path)
    done, failed = await _pass(actions.deny, "deny", ids, rule, all_of_it, yes, configuration)
    _tell("denied", done, failed, as_json)
    return int(Exit.FAILED if failed else Exit.DONE)


async def _daemon_runs(configuration: Configuration) -> bool:
    async with open_existing(configuration) as ledger:
        return await ledger.daemon() is not None


async def _tell_what_stops_all(configuration: Configuration) -> None:
    """Approved or not, nothing is sent on a hold, nor while the stamp can't be used."""
    async with open_existing(configuration) as ledger:
        hold, beat = await held_back(ledger), await ledger.heartbeat()
        trouble = stamp_trouble(ledger, await ledger.daemon(), beat)
    if hold is not None:
        errors().print(f"The ledger is on hold: {hold.sentence} Nothing is sent until you confirm it.")
        errors().print("See smm-rules hold show.")
    if trouble:
        errors().print(f"Nothing is sent now: {safe(trouble)}.")


async def _pass(
    verdict: Verdict,
    word: str,
    ids: Sequence[int],
    rule: str | None,
    all_of_it: bool,
    yes: bool,
    configuration: Configuration,
) -> tuple[list[Intent], dict[int, str]]:
    """Give the verdict on each; those it holds for now, and why it doesn't for the others."""
    if bool(ids) == all_of_it:
        raise click.UsageError(f"give IDs to {word}, or --rule RULE --all")
    if all_of_it != (rule is not None):
        raise click.UsageError("--rule and --all go together")
    held: Sequence[Intent] = ()
    async with open_existing(configuration) as ledger:
        if all_of_it:
            held = await ledger.intents((IntentState.HELD,), _UNLIMITED, rule)
            ids = [intent.id for intent in reversed(held)]
            if held:
                ask_first(_question(word, held), yes)
        return await _each(verdict, ledger, ids, {intent.id: intent for intent in held})


async def _each(
    verdict: Verdict, ledger: SqlLedger, ids: Sequence[int], asked: Mapping[int, Intent]
) -> tuple[list[Intent], dict[int, str]]:
    """Every one by itself: one that isn't held any more keeps none of the others, nor does one that is held
    otherwise than when the operator was `asked`."""
    done: list[Intent] = []
    failed: dict[int, str] = {}
    for intent_id in dict.fromkeys(ids):
        try:
            if intent_id in asked:
                await _check_unchanged(ledger, asked[intent_id])
            done.append(await verdict(ledger, intent_id, SystemClock().now(), operator_name()))
        except StateConflict as conflict:
            failed[intent_id] = str(conflict)
    return done, failed


async def _check_unchanged(ledger: SqlLedger, asked: Intent) -> None:
    """`StateConflict` for what is held for another reason or at another price by now."""
    now = await ledger.intent(asked.id)
    if (
        now is not None
        and now.state is asked.state
        and (now.reason, now.reserved)
        != (
            asked.reason,
            asked.reserved,
        )
    ):
        raise StateConflict(f"intent {asked.id} has changed since you were asked; look at it and ask again")


def _tell(participle: str, done: Sequence[Intent], failed: dict[int, str], as_json: bool) -> None:
    for message in failed.values():
        errors().print(f"[bold red]error[/]: {safe(message)}")
    if as_json:
        print_json({"changed": [intent_shape(intent) for intent in done], "failed": failed})
        return
    for intent in done:
        output().print(f"Intent {intent.id} ({intent.kind} for {safe(intent.entity)}) {participle}.")
    if not done and not failed:
        output().print("Nothing is held by this rule.")


def _question(word: str, held: Sequence[Intent]) -> str:
    sums: dict[str, Decimal] = {}
    for intent in held:
        if intent.reserved is not None:
            currency = intent.currency or ""
            sums[currency] = sums.get(currency, Decimal(0)) + intent.reserved
    money = " and ".join(f"{amount:f} {currency}".rstrip() for currency, amount in sorted(sums.items()))
    actions_word = "action" if len(held) == 1 else "actions"
    return f"{word.capitalize()} {len(held)} held {actions_word}{f' ({money} reserved)' if money else ''}?"
