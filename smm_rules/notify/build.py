"""Channels as the configuration describes them. The modules of kinds that nobody configured aren't loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from smm_rules.clock import Clock
from smm_rules.config.channels import ChannelSettings, EmailSettings
from smm_rules.notify.channel import Channel

if TYPE_CHECKING:
    from smm_rules.notify.channels.email import EmailChannel


def make_channel(
    name: str, settings: ChannelSettings, environment: Mapping[str, str], clock: Clock | None = None
) -> Channel:
    """The channel `name`, its secrets read now.

    Raises `SecretUnavailable`, `AppriseMissing` when that extra isn't installed, and `ValueError` for
    settings that the channel refuses; each says what to do.
    """
    if settings.apprise is not None:
        from smm_rules.notify.channels.apprise import AppriseChannel

        return AppriseChannel(name, [url.read(environment) for url in settings.apprise])
    if settings.webhook is not None:
        from smm_rules.notify.channels.webhook import WebhookChannel

        secret = settings.webhook.secret.read(environment)
        private = settings.webhook.allow_private
        return WebhookChannel(name, settings.webhook.url, secret, clock=clock, allow_private=private)
    if settings.email is not None:
        return _email(name, settings.email, environment)
    from smm_rules.notify.channels.log import LogChannel

    return LogChannel(name)


def make_channels(
    settings: Mapping[str, ChannelSettings], environment: Mapping[str, str], clock: Clock | None = None
) -> dict[str, Channel]:
    """Every channel by name; raises like `make_channel`."""
    return {name: make_channel(name, one, environment, clock) for name, one in settings.items()}


def channel_secrets(settings: ChannelSettings, environment: Mapping[str, str]) -> tuple[str, ...]:
    """What of a channel must never be shown: for the `Redactor`. A webhook's address is among it, for many
    receivers put their token there."""
    found = [url.read(environment) for url in settings.apprise or ()]
    if settings.webhook is not None:
        found += [settings.webhook.url, settings.webhook.secret.read(environment)]
    if settings.email is not None and settings.email.password is not None:
        found.append(settings.email.password.read(environment))
    return tuple(found)


def _email(name: str, settings: EmailSettings, environment: Mapping[str, str]) -> EmailChannel:
    from smm_rules.notify.channels.email import EmailChannel, MailSecurity

    return EmailChannel(
        name,
        settings.host,
        settings.sender,
        settings.to,
        port=settings.effective_port,
        security=MailSecurity(settings.security),
        username=settings.username,
        password=settings.password.read(environment) if settings.password else None,
    )
