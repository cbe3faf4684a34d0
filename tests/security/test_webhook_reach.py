"""Where a webhook may go: addresses are judged, and what is judged is what is connected to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.config import load_configuration
from smm_rules.config.reach import odd_number, unreachable
from smm_rules.document import DocumentError
from smm_rules.notify.channel import DeliveryFailed, Message
from smm_rules.notify.channels.webhook import WebhookChannel
from tests.notify.receiver import Receiver, answering, receiving

MESSAGE = Message("key", "title", "body")

CLOSED = {
    "127.0.0.1": "this very machine",
    "127.8.9.10": "this very machine",
    "::1": "this very machine",
    "10.0.0.5": "a private address",
    "172.16.0.1": "a private address",
    "192.168.1.1": "a private address",
    "100.64.0.1": "a private address",
    "198.18.0.1": "a private address",
    "fc00::1": "a private address",
    "fec0::1": "a private address",
    "2001:db8::1": "a private address",
    "169.254.169.254": "a link-local address",
    "169.254.1.1": "a link-local address",
    "fe80::1%eth0": "a link-local address",
    "100.100.100.200": "a cloud's metadata service",
    "168.63.129.16": "a cloud's metadata service",
    "fd00:ec2::254": "a cloud's metadata service",
    "224.0.0.251": "a multicast address",
    "239.255.255.250": "a multicast address",
    "ff02::1": "a multicast address",
    "0.0.0.0": "a reserved address",
    "0.1.2.3": "a reserved address",
    "240.0.0.1": "a reserved address",
    "255.255.255.255": "a reserved address",
    "192.88.99.1": "a reserved address",
    "::": "a reserved address",
    "4000::1": "a reserved address",
    # IPv4 inside IPv6: mapped, compatible, translated, 6to4 and Teredo (server and client).
    "::ffff:127.0.0.1": "this very machine",
    "::ffff:169.254.169.254": "a link-local address",
    "::ffff:10.0.0.5": "a private address",
    "::127.0.0.1": "this very machine",
    "64:ff9b::7f00:1": "this very machine",
    "64:ff9b::a9fe:a9fe": "a link-local address",
    "64:ff9b:1::a00:5": "a private address",
    "2002:7f00:1::1": "this very machine",
    "2002:a9fe:a9fe::1": "a link-local address",
    "2001:0:7f00:1::1": "this very machine",
    "2001:0:808:808::80ff:fffe": "this very machine",
}
OPEN = ("93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07::1", "::ffff:8.8.8.8", "64:ff9b::808:808")
OPENED = ("10.0.0.5", "192.168.1.1", "100.64.0.1", "fd12::1", "127.0.0.1", "::1", "::ffff:192.168.1.1")


@pytest.mark.parametrize(("address", "reason"), CLOSED.items())
def test_an_address_is_closed(address: str, reason: str) -> None:
    assert unreachable(address, "hooks.example", allow_private=False) == reason


@pytest.mark.parametrize("address", OPEN)
def test_a_public_address_is_open(address: str) -> None:
    assert unreachable(address, "hooks.example", allow_private=False) == ""


@pytest.mark.parametrize("address", OPENED)
def test_private_addresses_are_opened_by_the_operator(address: str) -> None:
    assert unreachable(address, "hooks.example", allow_private=True) == ""


@pytest.mark.parametrize(
    "address", [one for one, why in CLOSED.items() if "private" not in why and "machine" not in why]
)
def test_the_rest_stays_closed_even_then(address: str) -> None:
    assert unreachable(address, "hooks.example", allow_private=True) == CLOSED[address]


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_ipv6_is_judged_like_itself(address: object) -> None:
    number = int(address)  # type: ignore[call-overload]
    high, low = number >> 16, number & 0xFFFF
    for written in (f"::ffff:{address}", f"64:ff9b::{high:x}:{low:x}", f"2002:{high:x}:{low:x}::1"):
        assert unreachable(written, "h", allow_private=False) == unreachable(
            str(address), "h", allow_private=False
        )


@pytest.mark.parametrize("allow_private", [True, False])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_host_that_is_this_machine_leads_nowhere_else(host: str, allow_private: bool) -> None:
    assert unreachable("127.0.0.1", host, allow_private=allow_private) == ""
    for elsewhere in ("10.0.0.5", "93.184.215.14", "::ffff:10.0.0.5"):
        reason = unreachable(elsewhere, host, allow_private=allow_private)
        assert reason == "not an address of this machine"


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "010.0.0.1", "1.2.3.4.5", "1.2.3.4."],
)
def test_an_address_in_an_odd_writing_is_told_apart(host: str) -> None:
    assert odd_number(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "hooks.example", "1.2.3.example", "x1", "fe80::1", "0xhook.net"]
)
def test_a_name_and_a_plain_address_are_not(host: str) -> None:
    assert not odd_number(host)


# -- on the wire --------------------------------------------------------------------------------------------
class Names:
    """A resolver that answers each question with the next of its answers, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def channel(
    port: int, names: Names, *, allow_private: bool = False, host: str = "hooks.example"
) -> WebhookChannel:
    scheme = "http" if host == "localhost" else "https"
    return WebhookChannel(
        "ops",
        f"{scheme}://{host}:{port}/hook/tOken123456",
        timeout=timedelta(seconds=5),
        allow_private=allow_private,
        resolve=names,
    )


async def refusal(names: Names, *, allow_private: bool = False, host: str = "hooks.example") -> str:
    """What sending fails with; nothing must have been connected to."""
    async with receiving(lambda _: answering(200)) as receiver:
        opened = channel(receiver.port, names, allow_private=allow_private, host=host)
        with pytest.raises(DeliveryFailed) as caught:
            await opened.send(MESSAGE)
        await opened.aclose()
        assert receiver.received == []
    assert not caught.value.permanent
    assert "tOken123456" not in str(caught.value)
    return str(caught.value)


async def test_a_name_that_leads_to_a_closed_address_is_not_connected_to() -> None:
    assert await refusal(Names(["127.0.0.1"])) == (
        "hooks.example: it leads to 127.0.0.1, this very machine, and nothing is sent there; "
        "if it should be, write `allow_private: true` into the channel"
    )


async def test_one_closed_address_among_open_ones_closes_the_name() -> None:
    said = await refusal(Names(["93.184.215.14", "::ffff:169.254.169.254"]))
    assert said.startswith("hooks.example: it leads to ::ffff:169.254.169.254, a link-local address")


async def test_metadata_is_not_reached_even_when_private_networks_are() -> None:
    said = await refusal(Names(["169.254.169.254"]), allow_private=True)
    assert (
        said == "hooks.example: it leads to 169.254.169.254, a link-local address, and nothing is sent there"
    )


async def test_localhost_that_leads_elsewhere_is_not_spoken_to_in_the_clear() -> None:
    said = await refusal(Names(["10.0.0.5"]), host="localhost", allow_private=True)
    assert "not an address of this machine" in said


async def test_a_name_without_an_address_may_have_one_later() -> None:
    assert await refusal(Names([])) == "hooks.example: its name has no address"


async def test_the_name_is_resolved_once_and_the_judged_address_is_connected_to() -> None:
    """A second answer of the resolver, the rebinding, would be refused: it is never asked for."""
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    async with receiving(lambda _: answering(200)) as receiver:
        opened = channel(receiver.port, names, host="localhost")
        await opened.send(MESSAGE)
        await opened.aclose()
    assert names.asked == [("localhost", receiver.port)]
    assert receiver.received[0].headers["host"] == f"localhost:{receiver.port}"
    assert opened.last_answer == "localhost answered 200"


async def test_the_next_address_is_tried_when_nobody_listens_at_the_first() -> None:
    async with receiving(lambda _: answering(200)) as receiver:
        opened = channel(receiver.port, Names(["127.0.0.9", "127.0.0.1"]), host="localhost")
        await opened.send(MESSAGE)
        await opened.aclose()
    assert len(receiver.received) == 1


# -- TLS: `hooks.pem` is a self-signed certificate for hooks.example with its key, made for these tests
CERTIFICATE = Path(__file__).with_name("hooks.pem")


@asynccontextmanager
async def tls_receiver(greeted: list[str | None]) -> AsyncIterator[Receiver]:
    """A receiver that has the certificate of hooks.example and notes the names it is greeted by."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.sni_callback = lambda _, name, __: greeted.append(name)
    receiver = Receiver(lambda _: answering(200))
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()


async def test_the_certificate_and_the_greeting_are_those_of_the_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    greeted: list[str | None] = []
    async with tls_receiver(greeted) as receiver:
        opened = channel(receiver.port, Names(["127.0.0.1"]), allow_private=True)
        await opened.send(MESSAGE)
        await opened.aclose()
    assert greeted == ["hooks.example"]
    assert receiver.received[0].headers["host"] == f"hooks.example:{receiver.port}"
    assert opened.last_answer == "hooks.example answered 200"


async def test_a_certificate_of_another_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    async with tls_receiver([]) as receiver:
        opened = channel(receiver.port, Names(["127.0.0.1"]), allow_private=True, host="other.example")
        with pytest.raises(DeliveryFailed, match="certificate verify failed"):
            await opened.send(MESSAGE)
        await opened.aclose()
    assert receiver.received == []


# -- the configuration --------------------------------------------------------------------------------------
def load(tmp_path: Path, url: str, more: str = "") -> None:
    path = tmp_path / "smm-rules.yaml"
    path.write_text(
        "ledger: ledger.db\nrules: [rules/*.yaml]\n"
        "panels: [{name: main, url: https://panel.example/api/v2, key: {env: KEY}}]\n"
        f"channels: {{ops: {{webhook: {{url: '{url}', secret: {{env: SECRET}}{more}}}}}}}\n"
    )
    load_configuration(path, {})


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://10.0.0.5/x", "a private address, 10.0.0.5"),
        ("https://[::ffff:10.0.0.5]/x", "a private address, ::ffff:10.0.0.5"),
        ("https://169.254.169.254/latest", "a link-local address"),
        ("https://2130706433/x", "is a number"),
        ("https://0x7f.1/x", "is a number"),
        ("https://0177.0.0.1/x", "is a number"),
    ],
)
def test_a_closed_address_is_refused_at_load(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(DocumentError) as caught:
        load(tmp_path, url)
    assert said in str(caught.value)


def test_private_networks_are_opened_in_the_configuration(tmp_path: Path) -> None:
    load(tmp_path, "https://10.0.0.5/x", ", allow_private: true")
    with pytest.raises(DocumentError, match="link-local"):
        load(tmp_path, "https://169.254.169.254/x", ", allow_private: true")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "http://[::1]/x", "http://localhost/x"])
def test_this_machine_is_allowed_where_the_url_says_so(tmp_path: Path, url: str) -> None:
    load(tmp_path, url)
