"""Chat services through Apprise, each speaking its own protocol to a real HTTP server on this machine.

ntfy and Matrix name their server in the URL. Discord, Slack and Telegram have one address each; here Apprise
is given the server's instead, and everything else (path, token, body, judging the answer) is as ever.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from smm_rules.notify.channel import DeliveryFailed, Message
from smm_rules.notify.channels.apprise import AppriseChannel
from tests.notify.receiver import Received, Receiver, answering, receiving

pytest.importorskip("apprise")

MESSAGE = Message("digest:1", "2 alerts (late 2)", "- order 1 <b>late</b>\n- order 2 *late* & more", "error")
TOKEN = "cAnaryTokencAnaryTokencAnaryTokencAnaryTokencAnaryTokencAnaryTok"


@dataclass(frozen=True)
class Service:
    """How a service is addressed, what it answers, and where the text is in what it was sent.

    `fixed` is Apprise's class and the attribute that has the service's one address, empty where the URL has
    it. `path` is that of the request that carries the message.
    """

    url: Callable[[Receiver], str]
    fixed: str
    path: str
    text: Callable[[Any], str]
    answer: str


SERVICES = {
    "ntfy": Service(
        lambda receiver: f"ntfy://127.0.0.1:{receiver.port}/panels",
        "",
        "/",
        lambda sent: f"{sent['title']}\n{sent['message']}",
        "{}",
    ),
    "matrix": Service(
        lambda receiver: f"matrix://ops:{TOKEN}@127.0.0.1:{receiver.port}/!room:127.0.0.1?e2ee=no",
        "",
        "/send/m.room.message/",
        lambda sent: str(sent["body"]),
        json.dumps(
            {
                "access_token": TOKEN,
                "home_server": "127.0.0.1",
                "user_id": "@ops:127.0.0.1",
                "room_id": "!room:127.0.0.1",
                "event_id": "$1",
                "versions": ["v1.1"],
            }
        ),
    ),
    "discord": Service(
        lambda _: f"discord://123456789012345678/{TOKEN}",
        "discord.NotifyDiscord.notify_url",
        f"/123456789012345678/{TOKEN}",
        lambda sent: str(sent["content"]),
        "",
    ),
    "slack": Service(
        lambda _: "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/%23ops",
        "slack.NotifySlack.webhook_url",
        "/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        lambda sent: "\n".join(
            str(part.get("title", "")) + "\n" + str(part["text"]) for part in sent["attachments"]
        ),
        "ok",
    ),
    "telegram": Service(
        lambda _: "tgram://123456789:cAnaryTokencAnaryTokencAnaryTokenAB/98765/",
        "telegram.NotifyTelegram.notify_url",
        "123456789:cAnaryTokencAnaryTokencAnaryTokenAB/sendMessage",
        lambda sent: str(sent["text"]),
        '{"ok": true, "result": {}}',
    ),
}


@pytest.fixture(params=sorted(SERVICES))
def service(request: pytest.FixtureRequest) -> Service:
    return SERVICES[request.param]


def lead_here(monkeypatch: pytest.MonkeyPatch, service: Service, receiver: Receiver) -> None:
    """Give Apprise the receiver's address for a service that has one of its own."""
    if service.fixed:
        suffix = "/bot" if "telegram" in service.fixed else ""
        monkeypatch.setattr(f"apprise.plugins.{service.fixed}", f"http://127.0.0.1:{receiver.port}{suffix}")


def carrying(service: Service, receiver: Receiver) -> list[Received]:
    return [one for one in receiver.received if service.path in one.target]


async def test_a_message_arrives_as_the_service_wants_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving(lambda _: answering(200, service.answer)) as receiver:
        lead_here(monkeypatch, service, receiver)
        channel = AppriseChannel("ops", [service.url(receiver)])
        await channel.send(MESSAGE)
        await channel.aclose()
    [request] = carrying(service, receiver)
    text = service.text(json.loads(request.body))
    assert "2 alerts (late 2)" in text
    assert "order 1" in text
    assert "order 2" in text


async def test_what_the_service_refuses_is_a_failed_delivery_without_its_token(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving(lambda _: answering(403, '{"ok": false, "error": "no"}')) as receiver:
        lead_here(monkeypatch, service, receiver)
        with pytest.raises(DeliveryFailed) as caught:
            await AppriseChannel("ops", [service.url(receiver)]).send(MESSAGE)
    assert receiver.received
    assert str(caught.value) == "Apprise could not hand the message over; its warning is in the log"
