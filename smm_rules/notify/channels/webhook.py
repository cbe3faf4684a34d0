"""A channel that POSTs JSON to an address of the operator's, signed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import httpx

from smm_rules import __version__
from smm_rules.clock import Clock, SystemClock
from smm_rules.notify import signature
from smm_rules.notify.channel import JSON_BODY, DeliveryFailed, Message
from smm_rules.notify.channels.answers import quoted_words
from smm_rules.notify.channels.pinning import PinnedTransport, Resolve, resolved
from smm_rules.panel.endpoint import is_loopback

#: Answers of 4xx that another try may well change: time-out, too early, too many requests.
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429})
#: How much of an answer is read; it is only quoted when the message wasn't taken.
_LONGEST_ANSWER = 2048
#: A longer wish to be left alone is cut to this.
_LONGEST_WAIT = timedelta(days=1)


class WebhookChannel:
    """POSTs each message to `url`, in one attempt, following no redirect.

    The body is `{"key", "level", "title", "body"}`, or a webhook step's own JSON text. `secret` signs it
    (see `notify.signature`); `Idempotency-Key` is the message's key. The URL must be https, or http to this
    very machine; certificates are verified. Proxies of the environment are not used. Addresses in private
    networks are connected to only with `allow_private` (see `config.reach`); `resolve` finds the addresses.
    The URL itself may be a secret and is in no text this class makes. `ValueError` for a URL that is refused.
    `last_answer` says what the last message that was taken was answered.
    """

    def __init__(
        self,
        name: str,
        url: str,
        secret: str | None = None,
        timeout: timedelta = timedelta(seconds=15),
        clock: Clock | None = None,
        *,
        allow_private: bool = False,
        resolve: Resolve = resolved,
    ) -> None:
        self._name = name
        self._url = _checked(name, url)
        self._secret = secret
        self._timeout = timeout
        self._clock = clock or SystemClock()
        self.last_answer = ""
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            transport=PinnedTransport(
                httpx.create_ssl_context(), allow_private=allow_private, resolve=resolve
            ),
            timeout=httpx.Timeout(timeout.total_seconds()),
            headers={"User-Agent": f"smm-rules/{__version__}"},
        )

    @property
    def name(self) -> str:
        return self._name

    async def send(self, message: Message) -> None:
        """One attempt; `DeliveryFailed` unless the answer is 2xx within the time-out."""
        body = request_body(message)
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                status, headers, answer = await self._post(body, self._headers(message, body))
        except TimeoutError:
            raise DeliveryFailed(f"no answer within {self._timeout.total_seconds():g} s") from None
        except httpx.HTTPError as error:
            raise DeliveryFailed(f"{self._url.host}: {_words(error)}") from None
        self._judge(status, headers, answer)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _headers(self, message: Message, body: bytes) -> dict[str, str]:
        headers = request_headers(message)
        if self._secret:
            headers[signature.HEADER] = signature.sign(self._secret, body, self._clock.now())
        return headers

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, httpx.Headers, bytes]:
        async with self._client.stream("POST", self._url, content=body, headers=headers) as response:
            answer = b""
            if not response.is_success:
                async for chunk in response.aiter_raw():
                    answer += chunk[: _LONGEST_ANSWER - len(answer)]
                    if len(answer) >= _LONGEST_ANSWER:
                        break
            return response.status_code, response.headers, answer

    def _judge(self, status: int, headers: httpx.Headers, answer: bytes) -> None:
        if 200 <= status < 300:
            self.last_answer = f"{self._url.host} answered {status}"
            return
        if 300 <= status < 400:
            raise DeliveryFailed(
                f"{self._url.host} answered {status}, a redirect, which is not followed; "
                "write the final address into the channel's url",
                permanent=True,
            )
        quoted = quoted_words(answer)
        text = f"{self._url.host} answered {status}" + (f": {quoted}" if quoted else "")
        raise DeliveryFailed(
            text,
            permanent=400 <= status < 500 and status not in _WORTH_ANOTHER_TRY,
            retry_after=retry_after(headers.get("Retry-After", ""), self._clock.now()),
        )


def retry_after(value: str, now: datetime) -> timedelta | None:
    """The wait a `Retry-After` (seconds or an HTTP date) asks for, at most a day; None if unreadable."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        seconds = int(text[:9])
        return min(timedelta(seconds=seconds), _LONGEST_WAIT)
    try:
        named = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError):
        return None
    until = named if named.tzinfo else named.replace(tzinfo=UTC)
    return max(timedelta(), min(until - now, _LONGEST_WAIT))


def _checked(name: str, url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise ValueError(f'channel "{name}": its url is not a URL') from None
    if not parsed.host or parsed.scheme not in {"http", "https"}:
        raise ValueError(f'channel "{name}": its url must begin with https://')
    if parsed.scheme == "http" and not is_loopback(parsed.host):
        raise ValueError(
            f'channel "{name}": its url must begin with https:// (http only reaches this very machine)'
        )
    return parsed


def request_headers(message: Message) -> dict[str, str]:
    """The headers of the request for `message`, less the signature."""
    # A header is ASCII; a key may hold a rule's name in any script.
    return {
        "Content-Type": "application/json",
        "Idempotency-Key": quote(message.key, safe=":/+.-_@ ", errors="backslashreplace"),
    }


def request_body(message: Message) -> bytes:
    """The body of the request for `message`."""
    if message.media_type == JSON_BODY:
        return message.body.encode("utf-8", "replace")
    fields = {"key": message.key, "level": message.level, "title": message.title, "body": message.body}
    # ASCII, because a panel's text may hold what UTF-8 can't write.
    return json.dumps(fields).encode()


def _words(error: httpx.HTTPError) -> str:
    text = str(error) or type(error).__name__
    return quoted_words(text) if "://" not in text else type(error).__name__
