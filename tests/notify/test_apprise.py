"""The Apprise channel through Apprise's own json:// service to a real HTTP server."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta

import pytest

from smm_rules.notify.channel import DeliveryFailed, Message
from smm_rules.notify.channels.apprise import AppriseChannel, AppriseMissing
from smm_rules.notify.channels.log import LogChannel
from tests.notify.receiver import Receiver, answering, receiving

MESSAGE = Message("k", "Low balance", "main: 3 USD left", "error")


def address(receiver: Receiver, path: str = "/") -> str:
    return f"json://user:cAnaryPass@127.0.0.1:{receiver.port}{path}"


async def test_a_message_arrives() -> None:
    async with receiving(lambda _: answering(200)) as receiver:
        channel = AppriseChannel("ops", [address(receiver)])
        await channel.send(MESSAGE)
        await channel.aclose()
    (request,) = receiver.received
    sent = json.loads(request.body)
    assert (sent["title"], sent["message"], sent["type"]) == ("Low balance", "main: 3 USD left", "failure")


async def test_no_is_a_failed_delivery_without_the_url() -> None:
    async with receiving(lambda _: answering(500)) as receiver:
        with pytest.raises(DeliveryFailed) as caught:
            await AppriseChannel("ops", [address(receiver)]).send(MESSAGE)
    assert str(caught.value) == "Apprise could not hand the message over; its warning is in the log"
    assert not caught.value.permanent


async def test_another_attempt_spares_the_services_that_took_it() -> None:
    broken = {"answer": 500}
    async with (
        receiving(lambda _: answering(200)) as well,
        receiving(lambda _: answering(broken["answer"])) as ill,
    ):
        channel = AppriseChannel("ops", [address(well), address(ill)])
        with pytest.raises(DeliveryFailed, match="over to 1 of its 2 URLs"):
            await channel.send(MESSAGE)
        broken["answer"] = 200
        await channel.send(MESSAGE)
    assert (len(well.received), len(ill.received)) == (1, 2)


async def test_a_service_that_hangs_is_left_and_not_called_again_meanwhile() -> None:
    asked = asyncio.Event()

    def never(_: object) -> None:
        asked.set()

    async with receiving(never) as receiver:
        channel = AppriseChannel("ops", [address(receiver)], timedelta(milliseconds=300))
        with pytest.raises(DeliveryFailed, match=r"no answer within 0\.3 s; it may have been delivered"):
            await channel.send(MESSAGE)
        await asked.wait()
        with pytest.raises(DeliveryFailed, match="the attempt before this one is still running"):
            await channel.send(MESSAGE)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("url", ["nobody://cAnaryPass", "cAnaryPass", ""])
def test_a_url_nobody_knows_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match="Apprise does not understand its URL") as caught:
        AppriseChannel("ops", [url])
    assert "cAnaryPass" not in str(caught.value)


def test_a_missing_apprise_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(AppriseMissing, match=r'pip install "smm-rules\[apprise\]"'):
        AppriseChannel("ops", ["json://127.0.0.1"])


async def test_a_log_channel_writes_an_event() -> None:
    from structlog.testing import capture_logs

    with capture_logs() as logs:
        channel = LogChannel("trial")
        await channel.send(MESSAGE)
        await channel.aclose()
    assert logs == [
        {
            "event": "channel.message_logged",
            "log_level": "info",
            "channel": "trial",
            "title": "Low balance",
            "message": "main: 3 USD left",
            "message_level": "error",
            "dedup_key": "k",
        }
    ]
