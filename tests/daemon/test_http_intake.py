"""The HTTP intake in the daemon: what a program asks for is bought, once, and never in the way."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx
import pytest

from smm_rules.daemon import http_intake
from smm_rules.daemon.daemon import Daemon
from smm_rules.ledger.records import IntentState
from smm_rules.web.server import PageServer
from tests.daemon.household import LOG_CHANNEL, PANEL, Household, eventually

TOKEN = "intake-token-" + "t" * 32
INTAKE = LOG_CHANNEL + (
    "intake: {http: {listen: 'unix:intake.sock', tokens: ["
    "{name: shop, token: {env: SHOP_TOKEN}, may: [track, place, read]}]}}\n"
)
ASKED = {"service": "1", "link": "https://example.com/1", "quantity": 1000}


@pytest.fixture
def open_house(household: Household) -> Household:
    household.settings = INTAKE
    household.environment["SHOP_TOKEN"] = TOKEN
    return household


def program(directory: Path) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(directory / "intake.sock"))
    return httpx.AsyncClient(
        transport=transport, base_url="http://intake", headers={"authorization": f"Bearer {TOKEN}"}
    )


async def serving(daemon: Daemon) -> None:
    assert daemon.http_intake is not None
    await asyncio.wait_for(daemon.http_intake.serving.wait(), 30)


async def test_without_the_setting_there_is_none(household: Household) -> None:
    async with household.living() as daemon:
        assert daemon.http_intake is None


async def test_a_purchase_is_bought_once_and_watched(open_house: Household) -> None:
    async with open_house.living() as daemon, program(open_house.directory) as shop:
        await serving(daemon)
        await eventually(lambda: open_house.ledger.balance(PANEL))
        key = {"idempotency-key": "order-77"}
        first = await shop.post("/orders/place", json=ASKED, headers=key)
        assert (first.status_code, first.json()["state"]) == (202, "planned")
        await eventually(lambda: open_house.intents(IntentState.CONFIRMED))
        again = await shop.post("/orders/place", json=ASKED, headers=key)
        assert again.content == first.content
        told = (await shop.get(first.headers["location"])).json()
        assert (told["state"], told["final"]) == ("confirmed", True)
        made = (await shop.get(f"/orders/{PANEL}/{told['order']}")).json()
        assert made["parameters"]["quantity"] == "1000"
        await eventually(lambda: open_house.seen(told["order"]))
    assert len(open_house.panel.journal.orders_made()) == 1


async def test_a_known_order_is_looked_at(open_house: Household) -> None:
    name = open_house.panel.add_order(status="In progress", remains=5)
    async with open_house.living() as daemon, program(open_house.directory) as shop:
        await serving(daemon)
        assert (await shop.post("/orders", json={"order": name})).json()["tracked"] == 1
        await eventually(lambda: open_house.seen(name))
        assert daemon.counters.value("intake_requests", client="shop", operation="track") == 1


async def test_it_is_gone_with_the_daemon_and_there_again_with_the_next(open_house: Household) -> None:
    async with open_house.living() as daemon:
        await serving(daemon)
    async with program(open_house.directory) as shop:
        with pytest.raises(httpx.ConnectError):
            await shop.get("/healthz")
    async with open_house.living() as daemon, program(open_house.directory) as shop:
        await serving(daemon)
        assert (await shop.get("/healthz")).json()["status"] == "ok"


async def test_an_address_that_can_t_be_had_is_told_and_the_daemon_works_on(
    open_house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_intake, "RETRY_SECONDS", 0.01)
    (open_house.directory / "intake.sock").write_text("mine")
    name = open_house.panel.add_order(status="In progress", remains=5)
    await open_house.track(name)
    async with open_house.living() as daemon:
        await eventually(lambda: open_house.seen(name))
        (body,) = await eventually(lambda: _bodies(open_house, "HTTP intake can't be served"))
        assert "can't listen on" in body
        assert await eventually(lambda: _standing(open_house, "not served: can't listen on"))
        (open_house.directory / "intake.sock").unlink()
        await serving(daemon)
        assert await eventually(lambda: _standing(open_house, "served on unix:"))
    assert (await open_house.operator_told()).count("intake") == 1


async def _bodies(house: Household, told: str) -> list[str]:
    return [body for body in await house.bodies() if told in body]


async def _standing(house: Household, told: str) -> bool:
    beat = await house.ledger.heartbeat()
    return beat is not None and beat.detail.get("http_intake", "").startswith(told)


async def test_a_token_too_short_is_told_without_it(open_house: Household) -> None:
    open_house.environment["SHOP_TOKEN"] = "hunter2"
    async with open_house.living():
        (body,) = await eventually(lambda: _bodies(open_house, "is shorter than 32 characters"))
        assert "hunter2" not in body


async def test_a_server_that_ends_by_itself_is_started_anew(
    open_house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_intake, "RETRY_SECONDS", 0.01)
    ended, died = PageServer.ended, asyncio.Event()

    async def dying(server: PageServer) -> None:
        if died.is_set():
            return await ended(server)
        died.set()
        raise OSError("the server broke")

    monkeypatch.setattr(PageServer, "ended", dying)
    async with open_house.living() as daemon, program(open_house.directory) as shop:
        await serving(daemon)
        await died.wait()
        await eventually(lambda: _healthy(shop))


async def _healthy(shop: httpx.AsyncClient) -> bool:
    try:
        return (await shop.get("/healthz")).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("missing", ["uvicorn", "starlette"])
async def test_without_the_extra_it_says_what_to_install(
    open_house: Household, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith(("smm_rules.web.", "smm_rules.receiving.", f"{missing}.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    async with open_house.living():
        await eventually(lambda: _bodies(open_house, "pip install 'smm-rules[web]'"))
