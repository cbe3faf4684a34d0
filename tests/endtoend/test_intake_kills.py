"""A program that buys by HTTP and asks again, and a daemon that dies at every boundary: one order, by the
panel's own journal, on either kind of ledger."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.simulator import RunningSimulator, SimulatorSettings
from tests.endtoend.processes import Launcher, Running
from tests.endtoend.waiting import PATIENCE, eventually
from tests.endtoend.world import World, effects_known, receiver

TOKEN = "intake-token-" + "t" * 32
ASKED = {"service": 1, "link": "https://example.com/bought", "quantity": 100}
_INTAKE = """\
intake: {http: {listen: "unix:intake.sock", tokens: [
  {name: shop, token: {env: SHOP_TOKEN}, may: [track, place, read]}]}}
"""
#: What became of the purchase by the boundary its daemon died at: state, and calls the panel saw.
OUTCOMES = {
    "purchase.before": ("add confirmed", 1),
    "purchase.inside": ("add confirmed", 1),
    "purchase.after": ("add confirmed", 1),  # durable, and its answer on the way
    "claim.before": ("add confirmed", 1),
    "claim.after": ("add unknown", 0),
    "send.before": ("add unknown", 0),
    "send.written": ("add unknown", 1),
    "send.after": ("add unknown", 1),
    "settle.inside": ("add unknown", 1),
    "settle.after": ("add confirmed", 1),
}


@dataclass
class Shop(World):
    """A world with the intake open, and a program that asks until it is answered."""

    database: str = ""
    answers: list[bytes] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "SHOP_TOKEN": TOKEN}

    def set_timeout(self, timeout: str) -> None:
        super().set_timeout(timeout)
        text = self.configuration.read_text() + _INTAKE
        if self.database:
            text = text.replace("ledger: ledger.db\n", f"ledger: {self.database}\nstate_directory: .\n")
        self.configuration.write_text(text)

    @asynccontextmanager
    async def ledger(self) -> AsyncIterator[PostgresLedger]:  # type: ignore[override]  # another back end
        if not self.database:
            async with super().ledger() as ledger:
                yield ledger  # type: ignore[misc]  # the same port
            return
        async with await PostgresLedger.open(Access(self.database), self.directory / "ledger") as opened:
            yield opened

    async def ask_once(self, key: str = "order-77") -> httpx.Response | None:
        """Ask; None when nobody answered, or the answer was lost on the way."""
        transport = httpx.AsyncHTTPTransport(uds=str(self.directory / "intake.sock"))
        headers = {"authorization": f"Bearer {TOKEN}", "idempotency-key": key}
        try:
            async with httpx.AsyncClient(transport=transport, timeout=PATIENCE) as program:
                answer = await program.post("http://intake/orders/place", json=ASKED, headers=headers)
        except httpx.TransportError:
            return None
        if answer.status_code == 202:
            self.answers.append(answer.content)
        return answer

    async def ask(self, key: str = "order-77") -> httpx.Response:
        """Ask as often as it takes to get an answer, as a program should."""

        async def planned() -> httpx.Response | None:
            answer = await self.ask_once(key)
            return answer if answer is not None and answer.status_code == 202 else None

        answer = await eventually(planned, "an answer", describe=self.tails)
        assert answer is not None
        return answer

    async def ready(self) -> Running:
        """A daemon that has read the catalogue and the balance, and ended: orders can be sent at once."""
        daemon = self.start()
        await eventually(lambda: self.journal.requests("services"), "the catalogue", describe=daemon.tail)
        await self.looked_at_balance()
        assert await daemon.stop() == 0
        return daemon


@pytest.fixture(params=["sqlite", "postgres"])
async def shop(request: pytest.FixtureRequest, launcher: Launcher, tmp_path: Path) -> AsyncIterator[Shop]:
    database = request.getfixturevalue("ledger_database") if request.param == "postgres" else ""
    settings = SimulatorSettings(speed=0, journal=tmp_path / "panel-journal.jsonl")
    async with receiver() as hook:
        with RunningSimulator(settings) as panel:
            made = Shop(tmp_path, panel.url, panel.key, hook, launcher, panel, database=database)
            try:
                yield made
            finally:
                for running in made.started:
                    running.end_now()


#: What the two ledgers do by themselves; what follows is the same code, seen to in test_kills, too.
_OF_POSTGRES = ("purchase.before", "purchase.inside", "purchase.after", "send.written")
CASES = [*(("sqlite", boundary) for boundary in OUTCOMES), *(("postgres", one) for one in _OF_POSTGRES)]


@pytest.mark.parametrize(("shop", "boundary"), CASES, indirect=["shop"])
async def test_one_order(shop: Shop, boundary: str) -> None:
    await shop.ready()
    state, calls = OUTCOMES[boundary]
    dying = shop.start(boundary)
    await dying.said("intake.http_serving")
    first = await shop.ask_once()
    assert (first is None) is boundary.startswith("purchase")
    assert await dying.ended() == -signal.SIGKILL, dying.tail()

    daemon = shop.start()
    await shop.ask()
    books = await shop.until(lambda books: books.at_rest and books.states == (state,))
    await shop.ask()
    await shop.looked_at_balance()
    assert await daemon.stop() == 0

    assert (await shop.books()).states == (state,)
    assert len(set(shop.answers)) == 1
    assert len(shop.journal.requests("add")) == calls
    assert len(shop.journal.orders_made()) == calls
    assert effects_known(shop.journal, books) == []


async def test_kills_at_any_moment(shop: Shop) -> None:
    """Programs ask without end while daemon after daemon is killed: as many orders as there were keys."""
    await shop.ready()
    keys = [f"order-{number}" for number in range(12)]
    asking = [asyncio.create_task(shop.ask(key)) for key in keys]
    for _ in range(4):
        daemon = shop.start()
        await daemon.said("intake.http_serving")
        await asyncio.wait(asking, timeout=0.05)
        daemon.signal(signal.SIGKILL)
        assert await daemon.ended() == -signal.SIGKILL
    daemon = shop.start()
    answers = await asyncio.gather(*asking)
    books = await shop.until(lambda books: books.at_rest and len(books.intents) == len(keys))
    await shop.looked_at_balance()
    assert await daemon.stop() == 0

    assert sorted(answer.json()["intent"] for answer in answers) == [intent.id for intent in books.intents]
    assert len(shop.journal.requests("add")) <= len(keys)
    assert effects_known(shop.journal, books) == []
    assert {intent.attempts for intent in books.intents} == {1}
