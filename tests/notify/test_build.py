"""Channels made from the configuration."""

from __future__ import annotations

from typing import Any

import pytest

from smm_rules.config import ChannelSettings, SecretUnavailable
from smm_rules.notify.build import channel_secrets, make_channel, make_channels
from smm_rules.notify.channels.apprise import AppriseChannel
from smm_rules.notify.channels.email import EmailChannel
from smm_rules.notify.channels.log import LogChannel
from smm_rules.notify.channels.webhook import WebhookChannel

ENVIRONMENT = {"HOOK": "whsec", "MAIL": "pass", "TOKEN": "json://user:pass@127.0.0.1"}
MAIL = {"host": "mail.example.org", "from": "a@example.org", "to": "b@example.org"}
SETTINGS: dict[str, dict[str, Any]] = {
    "chat": {"apprise": [{"env": "TOKEN"}, "json://127.0.0.1/second"]},
    "hook": {"webhook": {"url": "https://hooks.example/x", "secret": {"env": "HOOK"}}},
    "mail": {"email": {**MAIL, "username": "me", "password": {"env": "MAIL"}}},
    "open": {"email": MAIL},
    "trial": {"log": {}},
}


def settings(name: str) -> ChannelSettings:
    return ChannelSettings.model_validate(SETTINGS[name])


async def test_each_type_of_channel_is_made() -> None:
    channels = make_channels({name: settings(name) for name in SETTINGS}, ENVIRONMENT)
    assert {name: (channel.name, type(channel)) for name, channel in channels.items()} == {
        "chat": ("chat", AppriseChannel),
        "hook": ("hook", WebhookChannel),
        "mail": ("mail", EmailChannel),
        "open": ("open", EmailChannel),
        "trial": ("trial", LogChannel),
    }
    for channel in channels.values():
        await channel.aclose()


def test_a_missing_secret_is_said() -> None:
    with pytest.raises(SecretUnavailable, match="HOOK"):
        make_channel("hook", settings("hook"), {})


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("chat", ("json://user:pass@127.0.0.1", "json://127.0.0.1/second")),
        ("hook", ("https://hooks.example/x", "whsec")),
        ("mail", ("pass",)),
        ("open", ()),
        ("trial", ()),
    ],
)
def test_every_secret_of_a_channel_is_named_for_redaction(name: str, secrets: tuple[str, ...]) -> None:
    assert channel_secrets(settings(name), ENVIRONMENT) == secrets
