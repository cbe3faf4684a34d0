"""Messages and calls exactly as they would go out, secrets left out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from smm_rules.config.channels import ChannelSettings
from smm_rules.engine.firing import IntentDraft, MessageDraft
from smm_rules.notify import signature
from smm_rules.notify.channel import JSON_BODY, Message
from smm_rules.notify.channels.email import EmailChannel, MailSecurity
from smm_rules.notify.channels.webhook import request_body, request_headers
from smm_rules.rules.model import StepKind

_CALLS = {StepKind.REFILL: "refill", StepKind.CANCEL: "cancel", StepKind.REORDER: "add"}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message as its channel sends it: where, header lines, and the body's text."""

    where: str
    headers: dict[str, str]
    body: str


def outgoing(draft: MessageDraft, settings: ChannelSettings | None, at: datetime) -> Outgoing:
    """`draft` as the channel described by `settings` sends it; None stands for the daemon's own log."""
    media_type = JSON_BODY if draft.kind is StepKind.WEBHOOK else "text/plain"
    message = Message(draft.dedup_key, draft.title, draft.body, draft.level, media_type)
    if draft.kind is StepKind.LOG or settings is None:
        return Outgoing("the daemon's log", {"level": draft.level}, draft.body)
    if settings.webhook is not None:
        signed = "t=<when it is sent>,v1=<HMAC-SHA256 of time and body under the channel's secret>"
        headers = request_headers(message) | {signature.HEADER: signed}
        return Outgoing(
            f"channel {draft.channel}: POST to its url", headers, _readable(request_body(message))
        )
    if settings.email is not None:
        return _mail(draft.channel, settings, message, at)
    title = {"title": draft.title} if draft.title else {}
    return Outgoing(f"channel {draft.channel} ({settings.type})", title, draft.body)


def _mail(name: str, settings: ChannelSettings, message: Message, at: datetime) -> Outgoing:
    email = settings.email
    assert email is not None
    channel = EmailChannel(
        name,
        email.host,
        email.sender,
        email.to,
        port=email.effective_port,
        security=MailSecurity(email.security),
    )
    mail = channel.compose(message, at)
    return Outgoing(f"channel {name}: mail by {email.host}", dict(mail.items()), mail.get_content())


def _readable(body: bytes) -> str:
    """The body; JSON on one line, as it is sent."""
    return body.decode()


def call(draft: IntentDraft, parameters: dict[str, str]) -> dict[str, str]:
    """The fields of the request to the panel, its key left out."""
    action = _CALLS[draft.kind]
    if draft.kind is StepKind.CANCEL:
        return {"action": action, "orders": parameters["order"]}
    return {"action": action, **parameters}


def data(body: str) -> object:
    """A JSON body as data, other text as it is."""
    try:
        return json.loads(body)
    except ValueError:
        return body
