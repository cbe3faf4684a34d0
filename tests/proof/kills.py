"""Kills real daemons by SIGKILL at random instants: `python -m tests.proof.kills --kills 200`.

Each daemon is a process of its own, forked from an interpreter that has imported everything, with a real
ledger file and a real panel over loopback. Some die at any moment from their first breath on, most within the
few milliseconds around a paid call. At the end one daemon lives in peace, and the panel's journal judges.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from random import Random

from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.simulator import RunningSimulator, SimulatorSettings
from tests.endtoend.processes import Launcher, Running
from tests.endtoend.world import PANEL, Books
from tests.proof.arena import Arena, Toll

#: How long the last daemon may take until nothing is left to do, in seconds.
_PEACE = 300.0

_CONFIGURATION = """\
panels:
  - name: {panel}
    url: {url}
    key: {{env: PANEL_KEY}}
    requests_per_minute: 6000
    timeout: 5s
    poll: {{orders: 1s, refills: 1s, balance: 5s, catalogue: 1h}}
channels: {{ops: {{log: {{}}}}}}
operator: {{channel: ops}}
rules: rules.yaml
ledger: ledger.db
settle_after: 1s
stop_timeout: 5s
reload: {{watch: false}}
# So many doubts would make it stop by itself, and then nothing was left to kill.
guards: {{breaker: null}}
logging: {{format: json, level: info}}
"""


@dataclass
class KillToll(Toll):
    """What the kills of one world came to, `aimed` ones close to a paid call."""

    aimed: int = 0


class KillArena(Arena):
    """Daemons to be killed on one panel and one ledger."""

    toll: KillToll

    def __init__(self, directory: Path, panel: RunningSimulator, launcher: Launcher, chance: Random) -> None:
        super().__init__(directory, panel, chance, _CONFIGURATION.format(panel=PANEL, url=panel.url))
        self._launcher = launcher
        self.toll = KillToll()

    async def _ledger(self) -> SqliteLedger:
        return await SqliteLedger.open(self._directory / "ledger.db")

    async def run(self, kills: int) -> None:
        """All kills, one after the other, then peace and judgement."""
        began = time.monotonic()
        for _ in range(kills):
            await self._new_orders(2)
            daemon = self._start()
            self._wait_for_the_moment()
            daemon.signal(signal.SIGKILL)
            self._reap(daemon)
            self.toll.kills += 1
        books = await self._peace()
        self._judge(books)
        self.toll.seconds = time.monotonic() - began

    def _start(self) -> Running:
        self._called.clear()
        self._names = (self._names + 1) % 10  # the logs of the last ten are enough
        name = f"daemon-{self._names}"
        for ending in ("out", "err"):
            (self._directory / f"{name}.{ending}").unlink(missing_ok=True)
        return self._launcher.start(
            ("run", "--config", str(self.configuration)),
            self._directory,
            {"PANEL_KEY": self._panel.key, "NO_COLOR": "1"},
            name,
            pace=self._pace,
        )

    def _reap(self, daemon: Running) -> int:
        return int(self._launcher._ask({"reap": daemon.process})["status"])

    def _wait_for_the_moment(self) -> None:
        """Any moment, or one close to a paid call."""
        if self._chance.random() < 0.4:
            time.sleep(self._chance.uniform(0, 0.35))
            return
        if self._called.wait(timeout=0.8):
            self.toll.aimed += 1
            time.sleep(self._chance.choice((0.0, 0.001, 0.003, 0.01, 0.03)) * self._chance.random())

    async def _peace(self) -> Books:
        """A daemon that isn't killed: it must bring everything to an end that can be."""
        daemon = self._start()
        await daemon.said("daemon.started")
        until = time.monotonic() + _PEACE
        while True:
            books = await self._books()
            if books.at_rest and len(books.intents) >= self.toll.orders:
                break
            if time.monotonic() > until:
                self.toll.wrong.append("the last daemon never came to rest")
                break
            await asyncio.sleep(0.3)
        daemon.signal(signal.SIGTERM)
        code = self._reap(daemon)
        if code:
            self.toll.wrong.append(f"the last daemon ended with {code}: {daemon.tail()}")
        return await self._books()

    def _judge(self, books: Books) -> None:
        self._judge_effects(books)
        again = [intent.id for intent in books.intents if intent.attempts > 1]
        if again:
            self.toll.wrong.append(f"claimed more than once: {again}")


def run_world(asked: tuple[int, int, str | None]) -> KillToll:
    """So many kills in one world, from one seed."""
    kills, seed, base = asked
    launcher = Launcher()
    try:
        with tempfile.TemporaryDirectory(prefix="smm-kills-", dir=base) as directory:
            journal = Path(directory) / "panel-journal.jsonl"
            with RunningSimulator(SimulatorSettings(speed=0, journal=journal)) as panel:
                panel.set_balance(Decimal(10_000_000))
                arena = KillArena(Path(directory), panel, launcher, Random(seed))
                asyncio.run(arena.run(kills))
                return arena.toll
    finally:
        launcher.close()


def run(kills: int, processes: int, seed: int, base: str | None, largest: int = 500) -> KillToll:
    """Kills spread over worlds of at most `largest` each, `processes` of them at a time; their sum."""
    worlds = max(processes, -(-kills // largest))
    shares = [kills // worlds + (number < kills % worlds) for number in range(worlds)]
    asked = [(share, seed + number, base) for number, share in enumerate(shares) if share]
    whole = KillToll()
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        for toll in pool.imap_unordered(run_world, asked):
            for name, value in asdict(toll).items():
                if name == "states":
                    whole.states = dict(Counter(whole.states) + Counter(value))
                else:
                    setattr(whole, name, getattr(whole, name) + value)
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", default=200, type=int)
    parser.add_argument("--processes", default=2, type=int, help="worlds at a time")
    parser.add_argument(
        "--seed", default=1, type=int, help="draws the moments; machines add their own chance"
    )
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    parser.add_argument("--directory", default=memory, help="where the ledgers lie; a RAM disk by default")
    asked = parser.parse_args()
    began = time.monotonic()
    whole = run(asked.kills, asked.processes, asked.seed, asked.directory)
    told = {**asdict(whole), "wall": round(time.monotonic() - began, 1)}
    print(json.dumps(told, indent=1))
    sys.exit(1 if whole.wrong else 0)


if __name__ == "__main__":
    main()
