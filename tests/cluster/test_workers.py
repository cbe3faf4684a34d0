"""Real workers, each a process: taken over when they die or hang, and never late with what they claimed."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from smm_rules.clock import SystemClock
from smm_rules.cluster.worker import ClusterWorker, Place
from smm_rules.config.load import load_configuration
from smm_rules.daemon.daemon import Daemon
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.ledger.records import IntentState, NewOrder, Transition
from smm_rules.simulator import Fault, RunningSimulator
from tests.cluster.launching import WorkerLauncher
from tests.endtoend.processes import Running
from tests.endtoend.waiting import eventually

PANEL = "main"
#: The promise, whatever the machine is busy with: the default lease is 10 s.
TAKEOVER_SECONDS = 15.0
_CONFIGURATION = """\
panels:
  - name: {panel}
    url: {url}
    key: {{env: PANEL_KEY}}
    requests_per_minute: 6000
    timeout: 60s
    poll: {{orders: 1s, refills: 1h, balance: 1h, catalogue: 1h}}
channels: {{ops: {{log: {{}}}}}}
operator: {{channel: ops}}
rules: rules.yaml
ledger: {url_of_ledger}
state_directory: state
reload: {{watch: false}}
stop_timeout: 2s
observation_gap: 5h
cluster: {{lease: {lease}}}
"""
_RULES = """\
rules:
  - name: refill
    watch: order
    when: status == "Partial" and remains > 0
    first_seen: act
    do: [refill]
    limit: {per_order: 1}
"""


@dataclass
class Town:
    """One panel, one ledger, and as many workers as a test starts."""

    directory: Path
    url: str
    panel: RunningSimulator
    launcher: WorkerLauncher
    started: list[Running] = field(default_factory=list)

    def configure(self, lease: str = "10s") -> None:
        (self.directory / "rules.yaml").write_text(_RULES)
        (self.directory / "state").mkdir(exist_ok=True)
        text = _CONFIGURATION.format(panel=PANEL, url=self.panel.url, url_of_ledger=self.url, lease=lease)
        (self.directory / "smm-rules.yaml").write_text(text)

    async def worker(self, strike: tuple[str, int, int] | None = None) -> Running:
        name = f"worker-{len(self.started)}"
        environment = {"PANEL_KEY": self.panel.key}
        pace = (time.time(), 1.0)
        running = self.launcher.worker(self.directory, self.url, name, environment, pace=pace, strike=strike)
        self.started.append(running)
        await running.said("worker.started")
        return running

    async def partial_order(self) -> str:
        number = self.panel.add_order(4, 1000, "https://example.com/1", status="Partial", remains=157)
        async with await PostgresLedger.open(Access(self.url)) as ledger:
            entity = Entity(EntityKind.ORDER, PANEL, number)
            await ledger.track([NewOrder(entity, "4", {"quantity": "1000"})], datetime.now(UTC))
        return number

    async def states(self) -> list[IntentState]:
        async with await PostgresLedger.open(Access(self.url)) as ledger:
            return [intent.state for intent in await ledger.intents((), 10)]

    async def story(self) -> list[Transition]:
        async with await PostgresLedger.open(Access(self.url)) as ledger:
            (intent,) = await ledger.intents((), 10)
            return list(await ledger.transitions(intent.id))

    async def is_now(self, state: IntentState) -> None:
        async def probe() -> bool:
            return await self.states() == [state]

        await eventually(probe, f"state {state}", describe=self.tails)

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
        running.signal(signal.SIGCONT)
        running.end_now()


async def test_what_a_killed_worker_was_sending_is_in_doubt_within_fifteen_seconds(town: Town) -> None:
    town.configure()
    town.panel.faults.next("refill", Fault.HANG_AFTER_EFFECT)
    first = await town.worker()
    await town.partial_order()
    await eventually(lambda: town.panel.journal.refills_made(), "a refill", describe=town.tails)
    await town.worker()
    died = time.monotonic()
    first.signal(signal.SIGKILL)
    await town.is_now(IntentState.UNKNOWN)
    assert time.monotonic() - died < TAKEOVER_SECONDS
    await town.started[1].said("intent.in_doubt")
    assert len(town.panel.journal.refills_made()) == 1


async def test_a_worker_stopped_between_claim_and_send_sends_nothing_late(town: Town) -> None:
    town.configure(lease="3s")
    stopped = await town.worker(strike=("send.before", 1, int(signal.SIGSTOP)))
    await town.partial_order()
    await town.is_now(IntentState.SENDING)
    await town.worker()
    await town.is_now(IntentState.UNKNOWN)
    assert town.panel.journal.requests("refill") == ()
    stopped.signal(signal.SIGCONT)
    await stopped.said("worker.lease_lost")

    async def proved() -> bool:
        return IntentState.NOT_SENT in [change.after for change in await town.story()]

    await eventually(proved, "the proof that it wasn't sent", describe=town.tails)
    assert town.panel.journal.requests("refill") == ()


async def test_a_worker_that_is_asked_to_stop_gives_its_lease_back(town: Town) -> None:
    town.configure()
    worker = await town.worker()
    assert await worker.stop() == 0
    async with await psycopg.AsyncConnection.connect(town.url) as connection:
        cursor = await connection.execute("SELECT count(*), count(ended_at) FROM smm_rules_cluster.leases")
        assert await cursor.fetchone() == (1, 1)
        cursor = await connection.execute("SELECT count(*) FROM smm_rules_cluster.reads")
        assert await cursor.fetchone() == (0,)


async def test_a_daemon_and_workers_refuse_each_other(town: Town) -> None:
    town.configure()
    environment = {"PANEL_KEY": town.panel.key}
    configuration = load_configuration(town.directory / "smm-rules.yaml", environment)
    daemon = Daemon(configuration, environment, SystemClock())
    running = asyncio.create_task(daemon.run())
    await asyncio.wait({running, asyncio.create_task(daemon.started.wait())}, return_when="FIRST_COMPLETED")
    worker = ClusterWorker(configuration, environment, Place(Access(town.url)))
    with pytest.raises(LedgerError, match="stop the daemon first"):
        await worker.run()
    daemon.stop()
    await running

    await town.worker()
    with pytest.raises(LedgerError, match="another daemon or worker"):
        await Daemon(configuration, environment, SystemClock()).run()
