"""`smm-rules intents resolve`: the operator's word on an action in doubt."""

from __future__ import annotations

from pathlib import Path

import click

from smm_rules.actions import resolve_did_not, resolve_happened
from smm_rules.cli.context import (
    asynchronous,
    config_option,
    json_option,
    operator_name,
    read_configuration,
)
from smm_rules.cli.exits import Stop
from smm_rules.cli.shapes import intent_shape
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.notify.operator import OperatorVoice
from smm_rules.rules.model import StepKind

#: Stands for `--happened` without an ID.
_WITHOUT_ID = ""


@click.command("resolve")
@click.argument("intent_id", metavar="ID", type=click.IntRange(min=1))
@click.option(
    "--happened",
    is_flag=False,
    flag_value=_WITHOUT_ID,
    metavar="[ORDER]",
    help="The panel did it; with the ID of the order or refill that it made.",
)
@click.option("--did-not", is_flag=True, help="The panel did nothing.")
@click.option("--retry", is_flag=True, help="With --did-not: plan it once more.")
@config_option
@json_option
@asynchronous
async def resolve(
    intent_id: int,
    happened: str | None,
    did_not: bool,
    retry: bool,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Say what became of an action in doubt, after you have looked at the panel.

    \b
    smm-rules intents resolve 17 --happened 4242   order 4242 is there: watch it
    smm-rules intents resolve 17 --did-not         there is nothing: its money is free

    The rule goes on as if it had been known at once. Nothing but your word is asked for: if you say that a
    purchase did not happen and --retry, and it did, it is bought twice.
    """
    if (happened is None) != did_not:
        raise click.UsageError("say either --happened [ORDER] or --did-not")
    if retry and not did_not:
        raise click.UsageError("--retry goes with --did-not: what has happened is not done again")
    configuration = read_configuration(config_path)
    channel = configuration.operator.channel if configuration.operator else None
    now, by = SystemClock().now(), operator_name()
    async with open_existing(configuration) as ledger:
        voice = OperatorVoice(ledger, channel, configuration.page_url)
        try:
            if happened is not None:
                intent = await resolve_happened(ledger, voice, intent_id, happened, now, by)
            else:
                intent = await resolve_did_not(ledger, voice, intent_id, now, by, retry=retry)
        except StateConflict as conflict:
            raise Stop(f"{conflict}.") from None
    if as_json:
        print_json(intent_shape(intent))
    else:
        output().print(safe(_sentence(intent)))


def _sentence(intent: Intent) -> str:
    if intent.state is IntentState.PLANNED:
        return f"Intent {intent.id} is planned once more: the daemon sends it at its next look."
    if intent.state is IntentState.NOT_SENT:
        return f"Intent {intent.id} counts as not sent; its money is free again."
    made = _made(intent)
    return f"Intent {intent.id} counts as done" + (f"; {made} is watched from now on." if made else ".")


def _made(intent: Intent) -> Entity | None:
    if not intent.result or intent.kind is StepKind.CANCEL:
        return None
    kind = EntityKind.REFILL if intent.kind is StepKind.REFILL else EntityKind.ORDER
    return Entity(kind, intent.panel, intent.result)
