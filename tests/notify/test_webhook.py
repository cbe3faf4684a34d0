"""The webhook channel against a real HTTP server, and the signature both ways."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.notify import signature
from smm_rules.notify.channel import JSON_BODY, DeliveryFailed, Message
from smm_rules.notify.channels.webhook import WebhookChannel, retry_after
from smm_rules.notify.signature import SignatureRefused, sign, verify
from tests.notify.receiver import Receiver, answering, receiving

SECRET = "whsec-canary-91"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MESSAGE = Message("low-balance:жук:1", "Low balance", "main: 3 USD left", "warning")


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds()


@asynccontextmanager
async def hook(
    answer: bytes | None = None, timeout: timedelta = timedelta(seconds=10), secret: str | None = SECRET
) -> AsyncIterator[tuple[Receiver, WebhookChannel]]:
    async with receiving(lambda _: answer) as receiver:
        channel = WebhookChannel("ops", receiver.url("/hook/tOken123456"), secret, timeout, FixedClock())
        try:
            yield receiver, channel
        finally:
            await channel.aclose()


async def failure(answer: bytes, message: Message = MESSAGE) -> DeliveryFailed:
    async with hook(answer) as (_, channel):
        with pytest.raises(DeliveryFailed) as caught:
            await channel.send(message)
    return caught.value


async def test_a_message_arrives_signed_with_its_key() -> None:
    async with hook(answering(204)) as (receiver, channel):
        await channel.send(MESSAGE)
    (request,) = receiver.received
    assert json.loads(request.body) == {
        "key": "low-balance:жук:1",
        "level": "warning",
        "title": "Low balance",
        "body": "main: 3 USD left",
    }
    assert request.target == "/hook/tOken123456"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == "low-balance:%D0%B6%D1%83%D0%BA:1"
    verify(SECRET, request.headers["x-smm-rules-signature"], request.body, NOW)


async def test_a_webhook_step_sends_its_own_json_as_it_is() -> None:
    body = '{"order": 7,  "odd": "spacing"}'
    async with hook(answering(200)) as (receiver, channel):
        await channel.send(Message("k", "", body, media_type=JSON_BODY))
    assert receiver.received[0].body == body.encode()


async def test_without_a_secret_nothing_is_signed() -> None:
    async with hook(answering(200), secret=None) as (receiver, channel):
        await channel.send(MESSAGE)
    assert "x-smm-rules-signature" not in receiver.received[0].headers


async def test_another_attempt_has_the_same_key_and_body() -> None:
    async with hook(answering(500)) as (receiver, channel):
        for _ in range(2):
            with pytest.raises(DeliveryFailed):
                await channel.send(MESSAGE)
    first, second = receiver.received
    assert (first.headers["idempotency-key"], first.body) == (second.headers["idempotency-key"], second.body)


async def test_a_redirect_is_not_followed() -> None:
    async with receiving(lambda _: answering(200)) as elsewhere:
        failed = await failure(answering(307, Location=elsewhere.url()))
    assert elsewhere.received == []
    assert failed.permanent
    assert str(failed).startswith("127.0.0.1 answered 307, a redirect, which is not followed")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
async def test_what_the_receiver_refuses_is_not_tried_again(status: int) -> None:
    failed = await failure(answering(status, "no\n such  hook"))
    assert (str(failed), failed.permanent) == (f"127.0.0.1 answered {status}: no such hook", True)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
async def test_what_may_pass_is_tried_again_when_the_receiver_asks(status: int) -> None:
    failed = await failure(answering(status, Retry_After="120"))
    assert (failed.permanent, failed.retry_after) == (False, timedelta(minutes=2))


async def test_no_answer_in_time_is_tried_again() -> None:
    async with hook(None, timeout=timedelta(milliseconds=50)) as (_, channel):
        with pytest.raises(DeliveryFailed, match=r"no answer within 0\.05 s") as caught:
            await channel.send(MESSAGE)
    assert not caught.value.permanent


async def test_nobody_listening_is_tried_again() -> None:
    async with hook(answering(200)) as (receiver, _):
        gone = WebhookChannel("ops", receiver.url("/tOken123456"), SECRET)
    with pytest.raises(DeliveryFailed) as caught:
        await gone.send(MESSAGE)
    await gone.aclose()
    assert not caught.value.permanent
    assert "tOken123456" not in str(caught.value)


async def test_an_endless_answer_is_read_only_so_far() -> None:
    failed = await failure(answering(500, "x" * 1_000_000))
    assert str(failed) == "127.0.0.1 answered 500: " + "x" * 199 + "…"


async def test_a_broken_answer_is_tried_again() -> None:
    failed = await failure(b"not http at all\r\n\r\n")
    assert not failed.permanent


@pytest.mark.parametrize(
    "url", ["http://hooks.example/x", "ftp://hooks.example", "hooks.example", "https://", "http://[::1", ""]
)
def test_an_unsafe_or_broken_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r'^channel "ops": its url'):
        WebhookChannel("ops", url, SECRET)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("30", timedelta(seconds=30)),
        (" 0 ", timedelta()),
        ("99999999999", timedelta(days=1)),
        ("Sun, 01 Mar 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Sun, 01 Mar 2026 11:00:00 GMT", timedelta()),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, wait: timedelta | None) -> None:
    assert retry_after(value, NOW) == wait


# -- signatures ---------------------------------------------------------------------------------------------
def test_the_signature_is_the_documented_one() -> None:
    # printf '1772366400.{}' | openssl dgst -sha256 -hmac secret
    assert sign("secret", b"{}", NOW) == (
        "t=1772366400,v1=b0c2c5e288833b007355aa343b97fd4bb8f9825725b0961e7aaa0f867a720061"
    )


@given(st.text(min_size=1), st.binary())
def test_what_is_signed_verifies(secret: str, body: bytes) -> None:
    secret = secret.encode("utf-8", "replace").decode()
    verify(secret, sign(secret, body, NOW), body, NOW + timedelta(minutes=5))


@pytest.mark.parametrize(
    ("header", "body", "now"),
    [
        (sign("other", b"{}", NOW), b"{}", NOW),
        (sign(SECRET, b"{}", NOW), b"{ }", NOW),
        (sign(SECRET, b"{}", NOW), b"{}", NOW + timedelta(minutes=6)),
        (sign(SECRET, b"{}", NOW), b"{}", NOW - timedelta(minutes=6)),
        (sign(SECRET, b"{}", NOW).replace("t=1", "t=2"), b"{}", NOW),
        (sign(SECRET, b"{}", NOW).partition(",")[2], b"{}", NOW),
        ("t=,v1=", b"{}", NOW),
        ("t=1,t=2,v1=x", b"{}", NOW),
        ("t=" + "9" * 30 + ",v1=ж", b"{}", NOW),
        ("", b"{}", NOW),
    ],
)
def test_what_does_not_prove_the_body_is_refused(header: str, body: bytes, now: datetime) -> None:
    with pytest.raises(SignatureRefused):
        verify(SECRET, header, body, now)


def test_one_of_several_signatures_is_enough() -> None:
    header = sign(SECRET, b"{}", NOW) + ",v1=" + "0" * 64
    signature.verify(SECRET, header, b"{}", NOW)
