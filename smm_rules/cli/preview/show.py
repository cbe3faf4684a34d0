"""A preview as people read it, and as scripts get it."""

from __future__ import annotations

from collections.abc import Mapping

from smm_rules.actions.verdict import Hold, Later, Ready, Refuse, Verdict
from smm_rules.cli.preview.requests import call, outgoing
from smm_rules.cli.terminal import output, safe
from smm_rules.config.channels import ChannelSettings
from smm_rules.explanation.choices import choice_in_words
from smm_rules.explanation.preview import Preview, PreviewedStep
from smm_rules.explanation.words import sentence

Channels = Mapping[str, ChannelSettings]
_SECTIONS = {
    "do": "do: when it fires",
    "otherwise": "otherwise: when the panel refuses an action of `do`",
    "done": "done: when it is over",
}
_HOLDS = {
    True: "Its condition holds on these facts.",
    False: "Its condition does not hold on these facts: it would not fire. This is what it would send.",
    None: "Its condition can't be decided on these facts: one is unknown. This is what it would send.",
}


def show(preview: Preview, channels: Channels) -> None:
    """Every step below its section."""
    console = output()
    console.print(f"[bold]Rule {safe(preview.rule.name)} for {safe(preview.entity)}[/]")
    console.print(f"  {_HOLDS[preview.holds]} Nothing is sent by this command.")
    section = ""
    for step in preview.steps:
        mine = step.place.partition(".")[0]
        if mine != section:
            section = mine
            console.print(f"\n[bold]{_SECTIONS[section]}[/]")
        _step(step, preview, channels)


def _step(step: PreviewedStep, preview: Preview, channels: Channels) -> None:
    console = output()
    console.print(f"  [bold]{step.place} {step.step.kind}[/]")
    if step.message is not None:
        if step.message.fallback:
            console.print(f"    [red]template failed[/]: {safe(step.message.fallback)}")
            console.print("    Plain facts go out instead:")
        sent = outgoing(step.message, channels.get(step.message.channel), preview.at)
        console.print(f"    {safe(sent.where)}")
        for name, value in sent.headers.items():
            console.print(f"    {safe(name)}: {safe(value)}")
        for line in sent.body.splitlines() or [""]:
            console.print(f"    | {safe(line)}")
        return
    assert step.action is not None
    if step.action.failure:
        console.print(f"    [red]not sent[/]: {safe(sentence(step.action.failure))}")
    for name, text in choice_in_words(step.choice).items():
        console.print(f"    {safe(name)}: {safe(text)}")
    if step.verdict is not None:
        _action(step, step.verdict)


def _action(step: PreviewedStep, verdict: Verdict) -> None:
    console, draft = output(), step.action
    assert draft is not None
    if not isinstance(verdict, Ready):
        console.print(f"    [yellow]{_WORDS[type(verdict)]}[/]: {safe(sentence(verdict.message))}")
        for name, value in draft.parameters.items():
            console.print(f"    asked for {safe(name)}: {safe(value)}")
        return
    console.print(f"    panel {safe(draft.panel)}: POST with its key")
    for name, value in call(draft, verdict.parameters).items():
        first, *more = value.splitlines() or [""]
        console.print(f"    | {safe(name)}={safe(first)}")
        for line in more:
            console.print(f"    |   {safe(line)}")
    if verdict.cost is not None:
        console.print(f"    cost {verdict.cost:f} {verdict.currency or ''}".rstrip())


_WORDS: dict[type[object], str] = {
    Refuse: "would not be sent",
    Later: "would wait",
    Hold: "would be held for the operator",
}


def preview_shape(preview: Preview, channels: Channels) -> dict[str, object]:
    """A preview for scripts."""
    return {
        "rule": preview.rule.name,
        "entity": preview.entity,
        "at": preview.at,
        "holds": preview.holds,
        "steps": [_step_shape(step, preview, channels) for step in preview.steps],
    }


def _step_shape(step: PreviewedStep, preview: Preview, channels: Channels) -> dict[str, object]:
    shape: dict[str, object] = {"step": step.place, "kind": step.step.kind}
    if step.message is not None:
        sent = outgoing(step.message, channels.get(step.message.channel), preview.at)
        return shape | {
            "channel": step.message.channel,
            "title": step.message.title,
            "level": step.message.level,
            "headers": sent.headers,
            "body": sent.body,
            "template_error": step.message.fallback,
        }
    assert step.action is not None
    verdict = step.verdict
    ready = isinstance(verdict, Ready)
    return shape | {
        "panel": step.action.panel,
        "asked": step.action.parameters,
        "outcome": "failed" if verdict is None else type(verdict).__name__.lower(),
        "message": step.action.failure if verdict is None else getattr(verdict, "message", ""),
        "call": call(step.action, verdict.parameters) if isinstance(verdict, Ready) else None,
        "cost": verdict.cost if isinstance(verdict, Ready) else None,
        "currency": verdict.currency if isinstance(verdict, Ready) else None,
        "sendable": ready,
        "choice": choice_in_words(step.choice) or None,
    }
