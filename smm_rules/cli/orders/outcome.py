"""How an order that was asked for ended: told to the operator, and as an exit code."""

from __future__ import annotations

from smm_rules.cli.exits import Exit
from smm_rules.cli.orders.carrying_out import UNDER_WAY
from smm_rules.cli.shapes import intent_shape
from smm_rules.cli.terminal import errors, output, print_json, safe
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.standing.evidence import suggestion_in_words

_NOTHING_BOUGHT = frozenset({IntentState.REJECTED, IntentState.NOT_SENT, IntentState.DENIED})


def tell_outcome(intent: Intent, *, waited: bool, as_json: bool) -> Exit:
    """Say what became of it; whether it was waited for decides what an unfinished one means."""
    if as_json:
        confirmed = intent.state is IntentState.CONFIRMED
        print_json({"order": intent.result if confirmed else None, "intent": intent_shape(intent)})
    if intent.state is IntentState.CONFIRMED:
        if not as_json:
            output().print(
                f"Order [bold]{safe(intent.result)}[/] was placed on {safe(intent.panel)} "
                f"and is watched from now on (intent {intent.id})."
            )
        return Exit.DONE
    if intent.state in UNDER_WAY and not waited:
        if not as_json:
            output().print(f"Planned as intent {intent.id}; the daemon sends it. {_look(intent)}")
        return Exit.DONE
    errors().print(_sentence(intent))
    return Exit.PANEL if intent.state in _NOTHING_BOUGHT else Exit.FAILED


def _sentence(intent: Intent) -> str:
    why = safe(intent.message or intent.reason or "no reason was given").rstrip(".")
    if intent.state is IntentState.REJECTED:
        return (
            f"[bold red]Refused[/] by {safe(intent.panel)}: {why}. Nothing was bought (intent {intent.id})."
        )
    if intent.state in _NOTHING_BOUGHT:
        return f"[bold red]Not sent[/]: {why}. Nothing was bought (intent {intent.id})."
    if intent.state is IntentState.UNKNOWN:
        return _in_doubt(intent, why)
    if intent.state is IntentState.HELD:
        return (
            f"[bold yellow]Held[/]: {why}. It is not sent until you say so: "
            f"smm-rules intents approve {intent.id} (or deny {intent.id})."
        )
    return (
        f"[bold yellow]Not done yet[/]: intent {intent.id} is {intent.state}"
        f"{': ' + why if intent.message or intent.reason else ''}. The daemon goes on with it: "
        f"don't place it again. {_look(intent)}"
    )


def _in_doubt(intent: Intent, why: str) -> str:
    suggestion = suggestion_in_words(intent)
    evidence = f"The balance says: {safe(suggestion)}.\n" if suggestion else ""
    return (
        f"[bold red]IN DOUBT[/]: the order was sent, and {safe(intent.panel)} may have taken your money "
        f"or not: {why}.\n{evidence}"
        "[bold]Do NOT place it again[/] before you know. Look at the panel's own list of orders, then say:\n"
        f"  smm-rules intents resolve {intent.id} --happened ORDER   it is there, with this ID\n"
        f"  smm-rules intents resolve {intent.id} --did-not          it is not there"
    )


def _look(intent: Intent) -> str:
    return f"See: smm-rules intents show {intent.id}"
