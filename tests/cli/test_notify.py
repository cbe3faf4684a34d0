"""`smm-rules notify CHANNEL --test`: one message through a channel, and what the receiver said."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smm_rules.notify.signature import HEADER, verify
from tests.cli.command import Said, configure, said
from tests.notify.receiver import Received, answering, receiving
from tests.notify.test_email import Mailbox, serving
from tests.notify.test_services import SERVICES, TOKEN, carrying, lead_here

SECRET = "canary-secret-51c2"


@pytest.fixture
def channel(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    return configure(here)


def with_channel(path: Path, name: str, settings: str) -> None:
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("rules: rules", f"  {name}: {settings}\nrules: rules"), encoding="utf-8")


def with_hook(path: Path, url: str) -> None:
    with_channel(path, "shop", f'{{webhook: {{url: "{url}", secret: {{env: HOOK_SECRET}}}}}}')


async def sent(
    capsys: pytest.CaptureFixture[str], path: Path, answer: bytes, *more: str
) -> tuple[Said, list[Received]]:
    async with receiving(lambda _: answer) as receiver:
        with_hook(path, receiver.url())
        found = await asyncio.to_thread(said, capsys, "notify", "shop", *more)
        return found, receiver.received


async def test_a_message_that_is_taken(channel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, (received,) = await sent(capsys, channel, answering(204), "--test")
    assert (found.code, found.out.startswith("Channel shop took the message in ")) == (0, True)
    assert found.out.endswith(": 127.0.0.1 answered 204.\n")
    body = json.loads(received.body)
    assert (body["title"], body["body"].split(".")[0]) == (
        "smm-rules",
        "This is a test message of smm-rules",
    )
    at = int(received.headers[HEADER.lower()].partition(",")[0].removeprefix("t="))
    verify(SECRET, received.headers[HEADER.lower()], received.body, datetime.fromtimestamp(at, UTC))
    assert SECRET not in found.out + found.err


async def test_a_text_of_ones_own_for_scripts(channel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, (received,) = await sent(capsys, channel, answering(200), "--message", "hello", "--json")
    assert json.loads(received.body)["body"] == "hello"
    told = json.loads(found.out)
    assert (told["channel"], told["taken"], told["answer"], told["error"]) == (
        "shop",
        True,
        "127.0.0.1 answered 200",
        "",
    )


async def test_a_receiver_that_refuses(channel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, _ = await sent(capsys, channel, answering(403, "wrong token"), "--test")
    assert (found.code, found.out) == (5, "")
    assert "channel shop: 127.0.0.1 answered 403: wrong token (would refuse it again)" in found.err


async def test_a_receiver_that_asks_to_be_left_alone(
    channel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, _ = await sent(capsys, channel, answering(429, Retry_After="60"), "--test", "--json")
    told = json.loads(found.out)
    assert (found.code, told["taken"], told["permanent"], told["retry_after"]) == (5, False, False, "1m")


def test_a_channel_that_does_not_exist_has_a_suggestion(
    channel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(capsys, "notify", "opps", "--test")
    assert (found.code, found.out) == (2, "")
    assert 'There is no channel "opps" in the configuration. Did you mean "ops"?' in found.err


def test_something_must_be_sent(channel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = said(capsys, "notify", "ops")
    assert (found.code, found.out) == (2, "")


def test_a_secret_that_is_not_there_is_named(
    channel: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_SECRET")
    with_hook(channel, "https://shop.example/hook")
    found = said(capsys, "notify", "shop", "--test")
    assert (found.code, found.out) == (3, "")
    assert "HOOK_SECRET" in found.err


@pytest.mark.parametrize("name", sorted(SERVICES))
async def test_each_chat_service_gets_the_test_message_as_it_wants_it(
    channel: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pytest.importorskip("apprise")
    service = SERVICES[name]
    async with receiving(lambda _: answering(200, service.answer)) as receiver:
        lead_here(monkeypatch, service, receiver)
        monkeypatch.setenv("CHAT_URL", service.url(receiver))
        with_channel(channel, "chat", "{apprise: {env: CHAT_URL}}")
        found = await asyncio.to_thread(said, capsys, "notify", "chat", "--test")
    assert (found.code, found.out.startswith("Channel chat took the message in ")) == (0, True)
    [request] = carrying(service, receiver)
    assert "This is a test message of smm-rules." in service.text(json.loads(request.body))
    assert TOKEN not in found.out + found.err


async def test_a_mail_server_gets_the_test_message(channel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        mail = f"host: 127.0.0.1, port: {port}, security: none, from: a@example.org, to: [b@example.org]"
        with_channel(channel, "mail", f"{{email: {{{mail}}}}}")
        found = await asyncio.to_thread(said, capsys, "notify", "mail", "--test", "--title", "Is it on?")
    assert found.code == 0
    [received] = mailbox.mails
    assert (received["Subject"], received["To"]) == ("Is it on?", "b@example.org")
    assert received.get_content().startswith("This is a test message of smm-rules.")
