"""Kills, stops and cuts off real workers that share one PostgreSQL ledger: `python -m tests.proof.cluster`.

Several workers, each a process of its own behind a wire that can be cut, work on one ledger and one panel.
Some die by SIGKILL at any moment or within milliseconds of a paid call, some at a boundary of the ledger,
some are stopped (SIGSTOP) through their lease and go on afterwards, one has a clock that is hours wrong;
connections are cut, and PostgreSQL itself is killed and started again. At the end the workers are left in
peace, and the panel's journal judges: nothing doubled, nothing lost, everything in doubt told.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

import psycopg

from smm_rules.cluster.runs import epoch_of
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.ledger.records import IntentState
from smm_rules.simulator import Journal, RunningSimulator, SimulatorSettings
from tests.cluster.launching import WorkerLauncher
from tests.cluster.wire import Wire
from tests.endtoend.processes import Running
from tests.endtoend.world import PANEL, Books
from tests.postgres.fixtures import create_database
from tests.postgres.server import Server, binaries
from tests.proof.arena import Arena, Toll

#: How long the last workers may take until nothing is left to do, in seconds.
_PEACE = 240.0
#: How long a worker may be gone before others have taken over: the promise, for the lease of ten seconds.
TAKEOVER_SECONDS = 15.0
WORKERS = 3
KILLS = ("kill", "kill_aimed", "kill_at_boundary")
OTHERS = ("stop_through_lease", "kill_server", "cut_wire", "end_sessions")
#: By how much the clock of one worker is wrong, in seconds.
SKEW = 5 * 3600.0
#: Moments at which a worker is ended or stopped, and how often the moment comes before that.
BOUNDARIES = (
    "claim.before",
    "claim.inside",
    "claim.after",
    "send.before",
    "send.written",
    "send.after",
    "settle.before",
    "settle.inside",
    "settle.after",
    "record.inside",
    "record.after",
)
#: Moments at which a stopped worker could do harm: it has claimed, and hasn't sent or hasn't written it down.
STOPS = ("claim.after", "send.before", "send.written", "send.after", "settle.before")

_CONFIGURATION = """\
panels:
  - name: {panel}
    url: {url}
    key: {{env: PANEL_KEY}}
    requests_per_minute: 6000
    connections: 8
    timeout: 5s
    poll: {{orders: 20s, refills: 40s, balance: 100s, catalogue: 1h}}
channels: {{ops: {{log: {{}}}}}}
operator: {{channel: ops}}
rules: rules.yaml
ledger: ledger.db
settle_after: 1s
stop_timeout: 10s
reload: {{watch: false}}
cluster: {{lease: {lease:g}s, slice_size: 3, slices: 3}}
# So many doubts would make it stop by itself, and then nothing was left to kill.
guards: {{breaker: null}}
logging: {{format: json, level: info}}
"""
_ENDED = """
  SELECT epoch, extract(epoch FROM ended_at)::float FROM smm_rules_cluster.leases WHERE ended_at IS NOT NULL
"""
_EPOCHS = "SELECT worker, max(epoch) FROM smm_rules_cluster.leases GROUP BY worker"


@dataclass
class ClusterToll(Toll):
    """What the disturbances of one world came to."""

    disturbances: dict[str, int] = field(default_factory=dict)
    #: Seconds of each kind of disturbance, and of the peace at the end.
    spent: dict[str, float] = field(default_factory=dict)
    leases_lost: int = 0
    takeover: float = 0.0
    takeovers: int = 0


class ClusterArena(Arena):
    """Workers to be disturbed on one panel and one ledger on a server of its own."""

    toll: ClusterToll

    def __init__(
        self,
        directory: Path,
        panel: RunningSimulator,
        server: Server,
        wire: Wire,
        launcher: WorkerLauncher,
        chance: Random,
        lease: float,
        workers: int = WORKERS,
    ) -> None:
        configuration = _CONFIGURATION.format(panel=PANEL, url=panel.url, lease=lease)
        super().__init__(directory, panel, chance, configuration)
        self._wanted = workers
        self._server = server
        self._wire = wire
        self._launcher = launcher
        self._lease = lease
        self._workers: list[Running] = []
        #: When each worker died, by its process, and when the server did.
        self._died: dict[int, float] = {}
        self._server_died: list[float] = []
        self.toll = ClusterToll()
        self._counts: Counter[str] = Counter()

    async def run(self, plan: Sequence[str]) -> None:
        """Disturb the workers as planned, then peace and judgement."""
        began = time.monotonic()
        create_database(self._server, "ledger")
        while len(self._workers) < self._wanted:
            self._start(skew=SKEW if len(self._workers) == 1 else 0.0)
        try:
            for name in plan:
                await self._new_orders(3)
                self._counts[name] += 1
                started = time.monotonic()
                await getattr(self, f"_{name}")()
                self.toll.spent[name] = round(self.toll.spent.get(name, 0) + time.monotonic() - started, 1)
                self._replace_the_dead()
            started = time.monotonic()
            books = await self._peace()
            self.toll.spent["peace"] = round(time.monotonic() - started, 1)
            await self._judge(books)
        finally:
            for worker in self._workers:
                worker.signal(signal.SIGCONT)
                worker.end_now()
        self.toll.disturbances = dict(self._counts)
        self.toll.seconds = round(time.monotonic() - began, 1)

    # -- disturbances -----------------------------------------------------------------------------------
    async def _kill(self) -> None:
        """At any moment."""
        await asyncio.sleep(self._chance.uniform(0, 1.5))
        self._kill_one(self._chance.choice(self._workers))

    async def _kill_aimed(self) -> None:
        """Close to a paid call, whoever made it."""
        self._called.clear()
        await asyncio.to_thread(self._called.wait, 4.0)
        await asyncio.sleep(self._chance.choice((0.0, 0.001, 0.003, 0.01, 0.03)) * self._chance.random())
        self._kill_one(self._chance.choice(self._workers))

    async def _kill_at_boundary(self) -> None:
        """A worker that dies at a moment of its own choosing, in the place of another."""
        await self._struck(self._chance.choice(BOUNDARIES), signal.SIGKILL)

    async def _stop_through_lease(self) -> None:
        """Stopped in the middle of an action until others have taken it for dead, then going on."""
        worker = await self._struck(self._chance.choice(STOPS), signal.SIGSTOP)
        if worker is None:
            return
        epoch = await self._epoch_of(worker)
        deadline = time.monotonic() + TAKEOVER_SECONDS * 2
        while epoch is not None and epoch not in await self._ended():
            if time.monotonic() > deadline:
                self.toll.wrong.append(f"nobody took over from worker {worker.process}, which was stopped")
                break
            await asyncio.sleep(0.2)
        await asyncio.sleep(self._chance.uniform(0.0, 1.0))
        worker.signal(signal.SIGCONT)

    async def _kill_server(self) -> None:
        """PostgreSQL dies as by a loss of power, in the middle of things, and comes back."""
        await asyncio.to_thread(self._called.wait, 2.0)
        await asyncio.sleep(self._chance.uniform(0, 0.3))
        self._server_died.append(time.time())
        process = self._server.process
        if self._chance.random() < 0.5:
            os.kill(process, signal.SIGKILL)
        try:
            await asyncio.to_thread(self._server.kill)
        except subprocess.TimeoutExpired:  # a machine so busy that a server takes a minute to die
            os.kill(process, signal.SIGKILL)
        await asyncio.sleep(self._chance.uniform(0, 2.0))
        await self._start_server()

    async def _start_server(self) -> None:
        """Those that outlive a postmaster killed by SIGKILL keep its memory for a moment."""
        for attempt in range(50):
            try:
                await asyncio.to_thread(self._server.start)
                return
            except RuntimeError:
                if attempt == 49:
                    raise
                await asyncio.sleep(0.2)

    async def _cut_wire(self) -> None:
        """Connections break without a word, and for a while there are none."""
        self._called.clear()
        await asyncio.to_thread(self._called.wait, 2.0)
        self._wire.down = True
        self._wire.cut()
        await asyncio.sleep(self._chance.uniform(0, min(2.0, self._lease / 3)))
        self._wire.down = False

    async def _end_sessions(self) -> None:
        """An administrator ends every session."""
        self._called.clear()
        await asyncio.to_thread(self._called.wait, 2.0)
        await self._ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = 'ledger' AND pid <> pg_backend_pid()"
        )

    async def _struck(self, moment: str, number: signal.Signals) -> Running | None:
        """A worker that is ended or stopped at `moment`; None when the moment didn't come in time."""
        worker = self._start(strike=(moment, self._chance.randint(1, 2), int(number)))
        deadline = time.monotonic() + 8.0
        while time.monotonic() < deadline:
            state = _state(worker.process)
            if state == "Z" and number is signal.SIGKILL:
                self._note_death(worker)
                self.toll.kills += 1
                return worker
            if state == "T":
                return worker
            if self._chance.random() < 0.1:
                await self._new_orders(3)
            await asyncio.sleep(0.05)
        self._kill_one(worker)
        return None

    # -- workers ------------------------------------------------------------------------------------------
    def _start(self, *, skew: float = 0.0, strike: tuple[str, int, int] | None = None) -> Running:
        self._names += 1
        worker = self._launcher.worker(
            self._directory,
            self._wire.url(self._server.url("ledger")),
            f"worker-{self._names}",
            {"PANEL_KEY": self._panel.key, "NO_COLOR": "1"},
            pace=self._pace,
            skew=skew,
            strike=strike,
        )
        self._workers.append(worker)
        return worker

    def _kill_one(self, worker: Running) -> None:
        worker.signal(signal.SIGKILL)
        self._note_death(worker)
        self.toll.kills += 1

    def _note_death(self, worker: Running) -> None:
        self._died[worker.process] = time.time()
        worker.code = worker.reap()

    def _replace_the_dead(self) -> None:
        for worker in self._workers:
            if worker.code is None and _state(worker.process) == "Z":
                worker.code = worker.reap()
                if not worker.events("worker.started"):
                    continue  # the server was away just then: its supervisor would start it again
                self.toll.wrong.append(f"a worker ended by itself with {worker.code}: {worker.tail()}")
        self._workers = [worker for worker in self._workers if worker.code is None]
        while len(self._workers) > self._wanted:
            extra = self._workers.pop(0)
            self._kill_one(extra)
        while len(self._workers) < self._wanted:
            self._start(skew=SKEW if self._chance.random() < 0.3 else 0.0)

    # -- what the world holds -----------------------------------------------------------------------------
    async def _ledger(self) -> PostgresLedger:
        return await PostgresLedger.open(Access(self._server.url("ledger")))

    async def _ask(self, statement: str) -> list[tuple[object, ...]]:
        url = self._server.url("ledger")
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            return await (await connection.execute(statement.encode())).fetchall()

    async def _ended(self) -> dict[int, float]:
        return {int(str(epoch)): float(str(at)) for epoch, at in await self._ask(_ENDED)}

    async def _epoch_of(self, worker: Running) -> int | None:
        for name, epoch in await self._ask(_EPOCHS):
            if f" {worker.process} " in str(name):
                return int(str(epoch))
        return None

    # -- the end ------------------------------------------------------------------------------------------
    async def _peace(self) -> Books:
        """Nobody disturbs them: they must bring everything to an end that can be."""
        until = time.monotonic() + _PEACE
        while True:
            self._replace_the_dead()
            books = await self._books()
            if books.at_rest and len(books.intents) >= self.toll.orders:
                break
            if time.monotonic() > until:
                self.toll.wrong.append("the last workers never came to rest")
                break
            await asyncio.sleep(0.3)
        for worker in self._workers:
            worker.signal(signal.SIGTERM)
        for worker in self._workers:
            if code := await worker.ended(60.0):
                self.toll.wrong.append(f"a worker ended with {code}: {worker.tail()}")
        return await self._books()

    async def _judge(self, books: Books) -> None:
        self._judge_effects(books)
        self.toll.wrong += _unaccounted(self._journal(), books)
        await self._judge_takeovers(books)

    async def _judge_takeovers(self, books: Books) -> None:
        """How long after its death a worker's lease had been ended by another one."""
        ended = await self._ended()
        epochs = {str(name): int(str(epoch)) for name, epoch in await self._ask(_EPOCHS)}
        for process, died in self._died.items():
            for name, epoch in epochs.items():
                if f" {process} " not in name or epoch not in ended:
                    continue
                # While the server was away nobody could take over.
                if not any(died <= at <= ended[epoch] for at in self._server_died):
                    self.toll.takeovers += 1
                    self.toll.takeover = max(self.toll.takeover, round(ended[epoch] - died, 2))
        if self.toll.takeover > TAKEOVER_SECONDS:
            self.toll.wrong.append(f"a takeover took {self.toll.takeover} s")
        live = {epoch for epoch in epochs.values() if epoch not in ended}
        for intent in books.intents:
            if intent.state is IntentState.SENDING and epoch_of(intent.owner) not in live:
                self.toll.wrong.append(f"intent {intent.id} is still being sent by {intent.owner}")
        for file in self._directory.glob("*.err"):
            text = file.read_text(errors="replace")
            self.toll.leases_lost += text.count('"worker.lease_lost"')
            if "Traceback" in text and '"worker.started"' in text:
                self.toll.wrong.append(
                    f"{file.name} has a traceback: {text[text.index('Traceback') :][:3000]}"
                )


def _unaccounted(journal: Journal, books: Books) -> list[str]:
    """Confirmed intents of which the panel knows nothing."""
    made = {entry.refill for entry in journal.refills_made()} | {
        entry.order for entry in journal.orders_made()
    }
    canceled = {entry.order for entry in journal.cancels_accepted()}
    wrong = []
    for intent in books.intents:
        if intent.state is not IntentState.CONFIRMED:
            continue
        known = intent.entity.id in canceled if intent.kind == "cancel" else intent.result in made
        if not known:
            wrong.append(f"intent {intent.id} is confirmed and the panel did nothing: {intent}")
    return wrong


def _state(process: int) -> str:
    """The kernel's letter for what a process does; Z when it has ended."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return "Z"
    return text.rpartition(")")[2].split()[0]


def planned(kills: int, chance: Random) -> list[str]:
    """So many kills in a drawn order, with the other disturbances in between."""
    plan: list[str] = []
    others: list[str] = []
    while kills > 0:
        share = min(kills, chance.randint(1, 3))
        plan += chance.choices(KILLS, weights=(1, 3, 2), k=share)
        kills -= share
        others = others or chance.sample(OTHERS, len(OTHERS))
        plan.append(others.pop())
    return plan


async def run_world(
    plan: Sequence[str], seed: int, lease: float, base: str | None = None, workers: int = WORKERS
) -> ClusterToll:
    """One world from one seed, disturbed as planned."""
    programs = binaries()
    assert programs is not None, "there is no PostgreSQL on this machine"
    launcher = WorkerLauncher()
    server = Server(programs)
    try:
        server.start()
        with tempfile.TemporaryDirectory(prefix="smm-cluster-", dir=base) as directory:
            journal = Path(directory) / "panel-journal.jsonl"
            with RunningSimulator(SimulatorSettings(speed=0, journal=journal)) as panel:
                panel.set_balance(Decimal(10_000_000))
                async with Wire(server.port) as wire:
                    where = Path(directory)
                    arena = ClusterArena(where, panel, server, wire, launcher, Random(seed), lease, workers)
                    await arena.run(plan)
                    return arena.toll
    finally:
        with contextlib.suppress(Exception):
            launcher.close()
        server.remove()


def sum_up(tolls: list[ClusterToll]) -> ClusterToll:
    """Several worlds as one."""
    whole = ClusterToll()
    for toll in tolls:
        for name, value in asdict(toll).items():
            mine = getattr(whole, name)
            if isinstance(value, dict):
                setattr(whole, name, dict(Counter(mine) + Counter(value)))
            elif name == "takeover":
                whole.takeover = max(mine, value)
            else:
                setattr(whole, name, mine + value)
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", default=50, type=int)
    parser.add_argument(
        "--seed", default=1, type=int, help="draws the moments; machines add their own chance"
    )
    parser.add_argument("--lease", default=10.0, type=float, help="seconds a worker is waited for")
    parser.add_argument("--largest", default=60, type=int, help="kills in one world at most")
    asked = parser.parse_args()
    tolls: list[ClusterToll] = []
    left = asked.kills
    while left > 0:
        share = min(left, asked.largest)
        seed = asked.seed + len(tolls)
        tolls.append(asyncio.run(run_world(planned(share, Random(seed)), seed, asked.lease)))
        left -= share
        print(json.dumps(asdict(tolls[-1])), file=sys.stderr, flush=True)
        if tolls[-1].wrong:
            break
    whole = sum_up(tolls)
    print(json.dumps(asdict(whole), indent=1))
    sys.exit(1 if whole.wrong else 0)


if __name__ == "__main__":
    main()
