"""A client against the fault server, with retries that don't wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
import stamina

from smm_rules.panel.client import PanelClient
from smm_rules.panel.endpoint import Endpoint
from tests.panel.fault_server import FaultServer

KEY = "canary-0123456789abcdef/+&"


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    """Retries come at once, as many as the policy says."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as running:
        yield running


@pytest.fixture
def endpoint(server: FaultServer) -> Endpoint:
    return Endpoint("main", server.url, KEY, requests_per_minute=1_000_000, timeout=timedelta(seconds=10))


@pytest.fixture
async def client(endpoint: Endpoint) -> AsyncIterator[PanelClient]:
    async with PanelClient(endpoint) as opened:
        yield opened
