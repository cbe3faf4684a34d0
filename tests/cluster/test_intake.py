"""The HTTP intake on workers: any of them plans a purchase, and whichever is asked again, it is one order."""

from __future__ import annotations

import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from smm_rules.cluster.assembling import settings_digest
from smm_rules.config.load import load_configuration
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.ledger.records import IntentState
from smm_rules.simulator import RunningSimulator
from tests.cluster.launching import WorkerLauncher
from tests.endtoend.processes import Running
from tests.endtoend.waiting import PATIENCE, eventually

TOKEN = "intake-token-" + "t" * 32
ASKED = {"service": 1, "link": "https://example.com/bought", "quantity": 100}
_CONFIGURATION = """\
panels:
  - name: main
    url: {url}
    key: {{env: PANEL_KEY}}
    requests_per_minute: 6000
    poll: {{orders: 1s, refills: 1h, balance: 1s, catalogue: 1h}}
channels: {{ops: {{log: {{}}}}}}
operator: {{channel: ops}}
rules: ../rules.yaml
ledger: {ledger}
state_directory: {state}
reload: {{watch: false}}
stop_timeout: 2s
observation_gap: 5h
cluster: {{lease: 3s}}
intake: {{http: {{listen: "unix:intake.sock", tokens: [
  {{name: shop, token: {{env: SHOP_TOKEN}}, may: [place, read]}}]}}}}
"""
_RULES = "rules: [{name: never, watch: order, when: remains > 1000000, do: [{log: {message: never}}]}]\n"


@dataclass
class Town:
    """One panel, one ledger, and workers that each have a socket of their own."""

    directory: Path
    url: str
    panel: RunningSimulator
    launcher: WorkerLauncher
    started: list[Running] = field(default_factory=list)

    def home(self, name: str) -> Path:
        (self.directory / "rules.yaml").write_text(_RULES)
        (self.directory / "state").mkdir(exist_ok=True)
        home = self.directory / name
        home.mkdir()
        state = self.directory / "state"
        text = _CONFIGURATION.format(url=self.panel.url, ledger=self.url, state=state)
        (home / "smm-rules.yaml").write_text(text)
        return home

    async def worker(self, name: str, strike: tuple[str, int, int] | None = None) -> Running:
        """One with a home, and a socket, of its own."""
        running = self.fork(self.home(name), name, strike)
        await running.said("intake.http_serving")
        return running

    def fork(self, home: Path, name: str, strike: tuple[str, int, int] | None = None) -> Running:
        environment = {"PANEL_KEY": self.panel.key, "SHOP_TOKEN": TOKEN}
        pace = (time.time(), 1.0)
        running = self.launcher.worker(home, self.url, name, environment, pace=pace, strike=strike)
        self.started.append(running)
        return running

    async def ask(self, worker: str) -> httpx.Response:
        transport = httpx.AsyncHTTPTransport(uds=str(self.directory / worker / "intake.sock"))
        headers = {"authorization": f"Bearer {TOKEN}", "idempotency-key": "order-77"}
        async with httpx.AsyncClient(transport=transport, timeout=PATIENCE) as program:
            return await program.post("http://intake/orders/place", json=ASKED, headers=headers)

    async def are_now(self, *states: IntentState) -> None:
        async with await PostgresLedger.open(Access(self.url)) as ledger:

            async def probe() -> bool:
                return [intent.state for intent in await ledger.intents((), 10)] == [*states]

            await eventually(probe, f"states {states}", describe=self.tails)

    def tails(self) -> str:
        return "\n".join(running.tail() for running in self.started)


@pytest.fixture(scope="module")
def launcher() -> Iterator[WorkerLauncher]:
    made = WorkerLauncher()
    yield made
    made.close()


@pytest.fixture
async def town(
    tmp_path: Path, ledger_database: str, smm_panel: RunningSimulator, launcher: WorkerLauncher
) -> AsyncIterator[Town]:
    made = Town(tmp_path, ledger_database, smm_panel, launcher)
    yield made
    for running in made.started:
        running.end_now()


async def test_any_worker_plans_it_and_it_is_bought_once(town: Town) -> None:
    first, second = await town.worker("one"), await town.worker("two")
    answers = [await town.ask(worker) for worker in ("one", "two", "one")]
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
    await town.are_now(IntentState.CONFIRMED)
    assert await first.stop() == 0
    assert not (town.directory / "one" / "intake.sock").exists()
    assert (await town.ask("two")).content == answers[0].content
    assert await second.stop() == 0
    assert len(town.panel.journal.orders_made()) == 1
    assert second.events("worker.settings_differ") == []


@pytest.mark.parametrize("moment", ["purchase.inside", "purchase.after"])
async def test_another_worker_answers_for_one_that_died_over_it(town: Town, moment: str) -> None:
    dying = await town.worker("one", strike=(moment, 1, int(signal.SIGKILL)))
    with pytest.raises(httpx.TransportError):
        await town.ask("one")
    assert await dying.ended() == -signal.SIGKILL
    await town.worker("two")
    answer = await town.ask("two")
    assert answer.headers.get("idempotency-replayed") == ("true" if moment == "purchase.after" else None)
    await town.are_now(IntentState.CONFIRMED)
    assert len(town.panel.journal.requests("add")) == 1


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_of_workers_with_one_socket_another_takes_the_place_of_the_one_that_ends(
    town: Town, end: signal.Signals
) -> None:
    first = await town.worker("one")
    second = town.fork(town.directory / "one", "two")
    await second.said("intake.http_standby")
    answer = await town.ask("one")
    first.signal(end)
    await first.ended()
    await second.said("intake.http_serving")
    assert (await town.ask("one")).content == answer.content
    await town.are_now(IntentState.CONFIRMED)
    assert second.events("intake.http_not_served") == []
    assert len(town.panel.journal.orders_made()) == 1


def test_where_a_worker_listens_is_its_own_affair(tmp_path: Path) -> None:
    where = {"url": "https://panel.example/api/v2", "ledger": "postgresql://x@127.0.0.1/d", "state": "/s"}
    texts = [_CONFIGURATION.format(**where)]
    texts += [
        texts[0].replace("unix:intake.sock", "127.0.0.1:8099"),
        texts[0].replace("[place, read]", "place"),
    ]
    digests = []
    for text in texts:
        (tmp_path / "smm-rules.yaml").write_text(text)
        digests.append(settings_digest(load_configuration(tmp_path / "smm-rules.yaml", {})))
    assert (digests[0] == digests[1], digests[0] == digests[2]) == (True, False)
