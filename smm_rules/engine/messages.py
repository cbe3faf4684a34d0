"""Steps that tell: notify, webhook and log → messages for the outbox.

A message is never lost to its template: when that fails, plain text stands in and says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from smm_rules.engine.firing import AlertDraft, Firing, MessageDraft, Occasion, Telling
from smm_rules.engine.rendering import TemplateContext, json_value
from smm_rules.rules.model import Step, StepKind
from smm_rules.rules.templates import TemplateFailed, plain_fallback

_TELLING = {
    Occasion.FIRED: Telling.FIRED,
    Occasion.REMINDED: Telling.REMINDED,
    Occasion.RESOLVED: Telling.RESOLVED,
}


def message_draft(firing: Firing, step: Step, place: str, context: TemplateContext) -> MessageDraft:
    """The message that the telling `step` at `place` (such as `do.1`) asks for."""
    dedup_key = f"{firing.key}:{place}"
    fallback = ""
    try:
        title, body = _written(firing, step, dedup_key, context)
    except TemplateFailed as failure:
        fallback = str(failure)
        title, body = "", _plain(firing, step, dedup_key, fallback)
    return MessageDraft(
        dedup_key=dedup_key,
        kind=step.kind,
        channel="" if step.kind is StepKind.LOG else str(step.parameters.get("channel", "")),
        title=title,
        body=body,
        level=str(step.parameters.get("level", "info")),
        fallback=fallback,
        alert=_alert(firing, step),
    )


def message_drafts(
    firing: Firing, step: Step, place: str, context: TemplateContext
) -> tuple[MessageDraft, ...]:
    """The message that the telling `step` at `place` asks for, and those for others should nobody acknowledge
    it."""
    draft = message_draft(firing, step, place, context)
    return draft, *_escalations(draft, step)


def _escalations(draft: MessageDraft, step: Step) -> Iterator[MessageDraft]:
    """They are queued at once, so that no restart forgets them, and not sent before their time."""
    asked = step.parameters.get("escalate")
    alert = draft.alert
    if alert is None or alert.telling is not Telling.FIRED or not isinstance(asked, Sequence):
        return
    for number, one in enumerate(asked):
        if isinstance(one, Mapping):
            after = timedelta(seconds=float(one["after"]))
            yield replace(
                draft,
                dedup_key=f"{draft.dedup_key}:escalate.{number}",
                channel=str(one["channel"]),
                title=f"Nobody acknowledged: {draft.title}" if draft.title else "Nobody acknowledged this",
                fallback="",
                alert=replace(alert, telling=Telling.ESCALATED),
                delay=after,
            )


def _alert(firing: Firing, step: Step) -> AlertDraft | None:
    """What a notify step tells of. Webhooks and the log are for programs, which want all there is."""
    if step.kind is not StepKind.NOTIFY:
        return None
    return AlertDraft(firing.rule, firing.entity, firing.episode, _TELLING[firing.occasion])


def _written(firing: Firing, step: Step, dedup_key: str, context: TemplateContext) -> tuple[str, str]:
    if step.kind is StepKind.WEBHOOK:
        return "", _webhook_body(firing, dedup_key, _webhook_data(firing, step, context))
    title = step.parameters.get("title")
    message = step.parameters.get("message")
    body = _told(firing) if message is None else context.text(str(message))
    return "" if title is None else context.text(str(title)), body


def _plain(firing: Firing, step: Step, dedup_key: str, error: str) -> str:
    if step.kind is StepKind.WEBHOOK:
        return _webhook_body(firing, dedup_key, {"message": _told(firing), "template_error": error})
    return _told(firing)


def _told(firing: Firing) -> str:
    return plain_fallback(firing.rule, firing.entity, firing.facts)


def _webhook_data(firing: Firing, step: Step, context: TemplateContext) -> object:
    """The step's own `data`; the facts of the firing where it names none."""
    data = step.parameters.get("data")
    if isinstance(data, Mapping):
        return context.data(data)
    return {name: json_value(value) for name, value in firing.facts.items()}


def _webhook_body(firing: Firing, dedup_key: str, data: object) -> str:
    # Sorted, so that the same message has the same bytes and the same signature at every attempt. ASCII,
    # because a panel's text may hold what UTF-8 can't write.
    body = {
        "data": data,
        "rule": firing.rule,
        "entity": str(firing.entity),
        "episode": firing.episode.isoformat(),
        "occasion": firing.occasion.value,
        "dedup_key": dedup_key,
    }
    return json.dumps(body, sort_keys=True, ensure_ascii=True)
