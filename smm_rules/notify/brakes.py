"""What the operator is told of guards, approvals, pauses and breakers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from smm_rules.engine.firing import MessageDraft
from smm_rules.engine.guards import APPROVAL, BREAKER
from smm_rules.facts.allowance import PERIODS, Per, begun_at
from smm_rules.ledger.records import Intent
from smm_rules.ledger.stops import TRIPPED, Stop, StopKind, StopScope
from smm_rules.notify import pages
from smm_rules.notify.operator import PREFIX
from smm_rules.rules.model import StepKind

_MOST_LISTED = 10


def held_by_guard(intents: Sequence[Intent], now: datetime) -> MessageDraft:
    """Actions that one guard holds, told once for a rule or panel and the guard's window.

    Approvals are told each time, for each is a question: by the first action that waits.
    """
    first = intents[0]
    whose = guarded_name(first)
    if first.reason == APPROVAL:
        # It may be asked a second time, for a higher price; that it was asked is noted with the message.
        key, title = f"approval:{first.id}:{now.isoformat()}", f"Approval needed: rule {first.rule}"
    else:
        key = f"guard:{first.reason}:{whose}:{_window(first.reason, now)}"
        title = f"Held by a guard: {first.reason.replace('_', ' ')} ({whose})"
    count = "One action waits" if len(intents) == 1 else f"{len(intents)} actions wait"
    body = (
        f"{count} for you{_worth(intents)}: {first.message}.{_until(first)}{_no_more(first, whose)}\n"
        f"{_commands(intents)}"
    )
    page = pages.intent(first.id) if len(intents) == 1 else pages.HELD
    return MessageDraft(f"{PREFIX}{key}", StepKind.LOG, "", title, body, "warning", page=page)


def guarded_name(intent: Intent) -> str:
    """What the guard that holds an intent is about: a rule, a panel, or everything."""
    if intent.reason.startswith("total_"):
        return "all rules"
    if intent.reason.startswith("panel_") or intent.reason == "keep_balance":
        return f"panel {intent.panel}"
    return f"rule {intent.rule}"


def expired(intent: Intent) -> MessageDraft:
    """An action that waited for an approval for too long."""
    return MessageDraft(
        f"{PREFIX}expired:{intent.id}:{intent.attempts}",
        StepKind.LOG,
        "",
        f"Not approved in time: {intent.kind} on {intent.panel}",
        f"The {intent.kind} that rule {intent.rule} asked for ({intent.entity}) waited for your approval "
        f"until {intent.expires_at:%Y-%m-%d %H:%M} UTC. It was denied and is never sent.",
        "warning",
        page=pages.intent(intent.id),
    )


def stopped(stop: Stop) -> MessageDraft:
    """Actions are stopped from now on, by the program's own doing or by a panic."""
    what = _what(stop)
    ways = {
        StopKind.PANIC: "smm-rules resume all",
        StopKind.SWEEP: f"smm-rules resume rule {stop.name}",
        StopKind.BREAKER: f"smm-rules resume {stop.scope} {stop.name}",
    }
    closes = ""
    if stop.kind is StopKind.SWEEP:
        closes = (
            " It acted on none of them: look whether the panel or the rule is wrong, then see what is held, "
            "and approve or deny it (smm-rules intents list --state held)."
        )
    if stop.kind is StopKind.BREAKER and stop.scope is StopScope.PANEL and stop.until is not None:
        closes = f" By itself it goes on once the panel answers a look after {stop.until:%Y-%m-%d %H:%M} UTC."
    return MessageDraft(
        f"{PREFIX}stop:{stop.id}",
        StepKind.LOG,
        "",
        f"Stopped: {what}",
        f"Nothing is sent any more for {what}: {stop.reason}. What is planned stays planned, what is newly "
        f"asked for is held.{closes} When you have looked into it:\n  {ways.get(stop.kind, '')}",
        "error",
        page=pages.STOPS,
    )


def behind_stopped(intent: Intent, other: Intent, stop: Stop) -> MessageDraft:
    """Actions of a rule that wait behind stopped ones about the same orders; told once a stop and rule."""
    return MessageDraft(
        f"{PREFIX}behind:{stop.id}:{intent.rule}",
        StepKind.LOG,
        "",
        f"Waiting behind what is stopped: rule {intent.rule}",
        f"Intent {intent.id}, the {intent.kind} that rule {intent.rule} asked for ({intent.entity}), waits "
        f"for intent {other.id}, a {other.kind} that rule {other.rule} had asked for about it, and "
        f"{_what(stop)} is stopped: {stop.reason}. Two actions about one order are sent in the order in "
        f"which they were asked for. What else rule {intent.rule} asks for behind this stop waits, too, and "
        "is not told again. Let the first go on, or give it up:\n"
        f"  smm-rules resume {f'{stop.scope} {stop.name}'.rstrip()}\n"
        f"  smm-rules intents deny {other.id}",
        "warning",
        page=pages.intent(intent.id),
    )


def began_ahead(stop: Stop, now: datetime) -> MessageDraft:
    """A pause that was set by a clock that was ahead: by the right one it is longer than it was meant."""
    return MessageDraft(
        f"{PREFIX}stop_redated:{stop.id}",
        StepKind.LOG,
        "",
        f"A pause may last too long: {_what(stop)}",
        f"{_what(stop).capitalize()} was paused by {stop.by} ({stop.reason}) when the machine's clock said "
        f"{stop.since:%Y-%m-%d %H:%M} UTC; now it is {now:%Y-%m-%d %H:%M} UTC, so the clock was set back. "
        f"The pause keeps its end, {stop.until:%Y-%m-%d %H:%M} UTC. If it was to end sooner, end it or set "
        "it anew:\n"
        f"  smm-rules resume {f'{stop.scope} {stop.name}'.rstrip()}\n"
        f"  smm-rules pause {f'{stop.scope} {stop.name}'.rstrip()} --for …",
        "warning",
        page=pages.STOPS,
    )


def ended(stop: Stop, now: datetime) -> MessageDraft:
    """A pause that ended by itself, or a breaker that closed."""
    why = "the panel answers again" if stop.kind in TRIPPED else "the pause is over"
    return MessageDraft(
        f"{PREFIX}stop_ended:{stop.id}",
        StepKind.LOG,
        "",
        f"Goes on: {_what(stop)}",
        f"Since {now:%Y-%m-%d %H:%M} UTC actions are sent again for {_what(stop)}: {why} "
        f"(stopped by {stop.by}: {stop.reason}). What was held meanwhile waits for you:\n"
        "  smm-rules intents list --state held",
        "info",
        page=pages.HELD,
    )


def proved(intent: Intent, evidence: str) -> MessageDraft:
    """An action in doubt that the policy took for done."""
    made = ""
    if intent.kind in (StepKind.REORDER, StepKind.ADD):
        made = (
            " The order's ID isn't known, so it is not watched. Look it up on the panel, then:\n"
            f"  smm-rules orders track {intent.panel}/ORDER"
        )
    return MessageDraft(
        f"{PREFIX}proved:{intent.id}",
        StepKind.LOG,
        "",
        f"It happened: {intent.kind} on {intent.panel}",
        f"The {intent.kind} that rule {intent.rule} asked for ({intent.entity}), intent {intent.id}, was in "
        f"doubt. By your policy (unknown.prove_by) it counts as done: {evidence}.{made}",
        "warning",
        page=pages.intent(intent.id),
    )


def _what(stop: Stop) -> str:
    return "all rules and panels" if stop.scope is StopScope.ALL else f"{stop.scope} {stop.name}"


def _window(reason: str, now: datetime) -> str:
    per = next((per for per in PERIODS if reason.endswith(f"_{per}")), Per.DAY)
    begun = begun_at(per, now) or now
    return begun.isoformat()


def _worth(intents: Sequence[Intent]) -> str:
    sums: dict[str, Decimal] = {}
    for intent in intents:
        if intent.reserved is not None:
            currency = intent.currency or ""
            sums[currency] = sums.get(currency, Decimal(0)) + intent.reserved
    money = " and ".join(f"{amount:f} {currency}".rstrip() for currency, amount in sorted(sums.items()))
    return f" ({money})" if money else ""


def _until(intent: Intent) -> str:
    if intent.expires_at is None:
        return ""
    return f" What isn't approved by {intent.expires_at:%Y-%m-%d %H:%M} UTC is denied."


def _no_more(intent: Intent, whose: str) -> str:
    if intent.reason == APPROVAL:
        return ""
    what = "while it is stopped" if intent.reason == BREAKER else "for now"
    return f" What else this guard holds of {whose} is not told again {what}."


def _commands(intents: Sequence[Intent]) -> str:
    rules = sorted({intent.rule for intent in intents})
    lines = [f"smm-rules intents approve {intent.id}" for intent in intents[:_MOST_LISTED]]
    if len(intents) == 1:
        lines.append(f"smm-rules intents deny {intents[0].id}")
    else:
        lines.append("smm-rules intents list --state held")
        lines += [f"smm-rules intents approve --rule {rule} --all" for rule in rules[:_MOST_LISTED]]
    return "\n".join(f"  {line}" for line in lines)
