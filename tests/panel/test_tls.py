"""Certificates are always checked, against the authorities the system or `SSL_CERT_FILE` names.

`loopback.pem` is a self-signed certificate for 127.0.0.1 with its key, made for these tests and trusted by
nobody else.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.panel.client import PanelClient
from smm_rules.panel.endpoint import Endpoint
from smm_rules.panel.errors import NotSent
from smm_rules.panel.transport import verified_tls

CERTIFICATE = Path(__file__).with_name("loopback.pem")
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"order": 5}'


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
def fresh_authorities() -> Iterator[None]:
    verified_tls.cache_clear()
    yield
    verified_tls.cache_clear()


async def test_an_unknown_authority_stops_before_anything_is_sent(port: int) -> None:
    endpoint = Endpoint("main", f"https://127.0.0.1:{port}/", "key", timeout=timedelta(seconds=5))
    async with PanelClient(endpoint) as client:
        with pytest.raises(NotSent, match="certificate verify failed"):
            await client.add({"service": "1"})


@pytest.mark.usefixtures("fresh_authorities")
async def test_ssl_cert_file_is_honoured(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    endpoint = Endpoint("main", f"https://127.0.0.1:{port}/", "key", timeout=timedelta(seconds=5))
    async with PanelClient(endpoint) as client:
        assert await client.add({"service": "1"}) == "5"


@pytest.mark.usefixtures("fresh_authorities")
async def test_a_certificate_for_another_name_is_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    endpoint = Endpoint("main", f"https://127.0.0.2:{port}/", "key", timeout=timedelta(seconds=5))
    async with PanelClient(endpoint) as client:
        with pytest.raises(NotSent):
            await client.add({"service": "1"})
