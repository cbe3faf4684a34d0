"""The status page in the daemon: there while it runs, gone when it has ended, never in its way."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack

import httpx
import pytest

from smm_rules.daemon import page as daemon_page
from smm_rules.daemon.daemon import Daemon
from smm_rules.ledger.records import IntentState, Sweep
from smm_rules.rules.model import StepKind
from smm_rules.web import metrics as metrics  # so that it is there to be taken away
from smm_rules.web.password import hash_password
from tests.daemon.household import LOG_CHANNEL, PANEL, Household, eventually, order
from tests.ledger.builders import draft, firing, planned
from tests.web.shop import PASSWORD, USER
from tests.web.visitor import hidden

PAGE = LOG_CHANNEL + "web: {listen: '127.0.0.1:0'}\n"


async def address(daemon: Daemon) -> str:
    assert daemon.page is not None
    await asyncio.wait_for(daemon.page.serving.wait(), 30)
    return f"http://{daemon.page.address}"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that something else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        yield busy.getsockname()[1]


async def test_without_the_setting_there_is_no_page(household: Household) -> None:
    async with household.living() as daemon:
        assert daemon.page is None


async def test_it_is_there_while_the_daemon_runs(household: Household) -> None:
    household.settings = PAGE
    await household.track("1001")
    async with household.living() as daemon, httpx.AsyncClient(base_url=await address(daemon)) as browser:
        assert "never" in (await browser.get("/rules")).text
        assert PANEL in (await browser.get("/")).text
        assert (await browser.get("/healthz")).json()["status"] == "ok"
        await eventually(lambda: _ready(browser))
        metrics = (await browser.get("/metrics")).text
        assert f'smm_rules_requests_total{{action="balance",outcome="answered",panel="{PANEL}"}}' in metrics
        assert 'smm_rules_job_rest_seconds{job="outbox"}' in metrics
        at = str(browser.base_url)
    async with httpx.AsyncClient(base_url=at) as browser:
        with pytest.raises(httpx.ConnectError):
            await browser.get("/")


async def _ready(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/readyz")).status_code == 200


async def test_a_busy_port_is_told_and_the_daemon_works_on(
    household: Household, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon_page, "RETRY_SECONDS", 0.01)
    household.settings = LOG_CHANNEL + f"web: {{listen: '127.0.0.1:{taken}'}}\n"
    name = household.panel.add_order(status="In progress", remains=5)
    await household.track(name)
    async with household.living():
        await eventually(lambda: household.seen(name))
        await eventually(household.operator_told)
        (body,) = [body for body in await household.bodies() if "status page can't be served" in body]
        assert f"can't listen on 127.0.0.1:{taken}: something else listens there already" in body
    assert (await household.operator_told()).count("page") == 1


async def test_it_comes_once_the_port_is_free(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_page, "RETRY_SECONDS", 0.01)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        household.settings = LOG_CHANNEL + f"web: {{listen: '127.0.0.1:{port}'}}\n"
        async with AsyncExitStack() as stack:
            daemon = await stack.enter_async_context(household.living())
            await eventually(household.operator_told)
            busy.close()
            async with httpx.AsyncClient(base_url=await address(daemon)) as browser:
                assert (await browser.get("/healthz")).status_code == 200


async def test_a_page_that_fails_is_one_answer_and_the_daemon_works_on(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("a fault of a template")

    monkeypatch.setattr("smm_rules.web.visit.render", broken)
    household.settings = PAGE
    async with household.living() as daemon, httpx.AsyncClient(base_url=await address(daemon)) as browser:
        assert (await browser.get("/")).status_code == 500
        name = household.panel.add_order(status="In progress", remains=5)
        await household.track(name)
        await eventually(lambda: household.seen(name))
        assert (await browser.get("/healthz")).status_code == 200


async def test_a_server_that_ends_by_itself_is_not_the_daemons_end(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dying(_: object) -> None:
        raise OSError("the server broke")

    monkeypatch.setattr("smm_rules.web.server.PageServer.ended", dying)
    household.settings = PAGE
    name = household.panel.add_order(status="In progress", remains=5)
    await household.track(name)
    async with household.living():
        await eventually(lambda: household.seen(name))


async def test_an_approval_on_the_page_is_sent_by_the_daemon(household: Household) -> None:
    household.settings = PAGE.rstrip("}\n") + f", login: {{user: {USER}, password_hash: {{env: HASH}}}}}}\n"
    household.environment["HASH"] = hash_password(PASSWORD)
    await household.track("1001")
    wanted = draft(kind=StepKind.CANCEL, panel=PANEL)
    what = firing(order("1001"), rule="never", episode=household.clock.now())
    await household.ledger.record(Sweep(household.clock.now(), firings=(planned(what, wanted),)))
    await household.ledger.hold(1, "approval", "", household.clock.now())
    async with household.living() as daemon, httpx.AsyncClient(base_url=await address(daemon)) as browser:
        login = await browser.get("/login")
        token = login.text.partition('name="csrf" value="')[2].partition('"')[0]
        fields = {"csrf": token, "user": USER, "password": PASSWORD}
        assert (await browser.post("/login", data=fields)).status_code == 303
        asked = hidden((await browser.get("/intents/1/approve")).text, "/intents/1/approve")
        assert (await browser.post("/intents/1/approve", data=asked)).status_code == 303
        await eventually(lambda: household.intents(IntentState.NOT_SENT, IntentState.REJECTED))
    changes = [(one.after, one.by) for one in await household.ledger.transitions(1)]
    assert (IntentState.PLANNED, f"web:{USER}") in changes


async def test_a_hash_that_is_none_is_told_and_the_daemon_works_on(household: Household) -> None:
    household.settings = PAGE.rstrip("}\n") + f", login: {{user: {USER}, password_hash: {{env: HASH}}}}}}\n"
    household.environment["HASH"] = "hunter2"
    async with household.living():
        await eventually(household.operator_told)
    (body,) = [body for body in await household.bodies() if "holds no hash" in body]
    assert "hunter2" not in body


@pytest.mark.parametrize("missing", ["prometheus_client", "starlette"])
async def test_without_the_extra_it_says_what_to_install(
    household: Household, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("smm_rules.web.metrics")
    for name in list(sys.modules):
        if name.startswith(("smm_rules.web.", f"{missing}.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    household.settings = PAGE
    async with household.living():
        await eventually(household.operator_told)
    assert any("pip install 'smm-rules[web]'" in body for body in await household.bodies())
