"""A plain caller of a panel, over a real socket and with no help from the program under test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from smm_rules.simulator import RunningSimulator


class Caller:
    """Posts to one panel as one account."""

    def __init__(self, panel: RunningSimulator, client: httpx.Client) -> None:
        self.panel = panel
        self.client = client

    def post(self, action: str, key: str | None = None, **parameters: object) -> httpx.Response:
        form = {"key": key or self.panel.key, "action": action}
        form |= {name: str(value) for name, value in parameters.items()}
        return self.client.post(self.panel.url, data=form)

    def __call__(self, action: str, key: str | None = None, **parameters: object) -> Any:
        return self.post(action, key, **parameters).json()

    def add(self, service: int = 1, quantity: int = 1000, link: str = "https://example.com/p") -> str:
        return str(self("add", service=service, quantity=quantity, link=link)["order"])

    def control(self, path: str, **fields: object) -> httpx.Response:
        return self.client.post(f"{self.panel.base_url}/control/{path}", json=fields)

    def seen(self, path: str) -> Any:
        return self.client.get(f"{self.panel.base_url}/control/{path}").json()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10) as client:
        yield client


@pytest.fixture
def ask(smm_panel: RunningSimulator, client: httpx.Client) -> Caller:
    return Caller(smm_panel, client)
