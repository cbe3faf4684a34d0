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
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import IntentState, MessageState, NewOrder
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.simulator import Journal, RunningSimulator, SimulatorSettings
from smm_rules.simulator.api import Reply
from tests.endtoend.processes import Launcher, Running
from tests.endtoend.world import ACTING_RULES, FACTOR, PANEL, Books, effects_known

ACTING = frozenset({"add", "refill", "cancel"})
_MANY = 1_000_000
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
class Toll:
    """What the kills of one world came to. `wrong` is empty when every promise was kept."""

    kills: int = 0
    aimed: int = 0
    seconds: float = 0.0
    orders: int = 0
    paid_calls: int = 0
    paid_effects: int = 0
    doubled: int = 0
    lost: int = 0
    in_doubt: int = 0
    untold: int = 0
    states: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


class Arena:
    """One panel, one ledger, and daemons to be killed on it."""

    def __init__(self, directory: Path, panel: RunningSimulator, launcher: Launcher, chance: Random) -> None:
        self._directory = directory
        self._panel = panel
        self._launcher = launcher
        self._chance = chance
        self._pace = (time.time(), FACTOR)
        self._called = threading.Event()
        self._names = 0
        self.toll = Toll()
        (directory / "rules.yaml").write_text(ACTING_RULES)
        self.configuration = directory / "smm-rules.yaml"
        self.configuration.write_text(_CONFIGURATION.format(panel=PANEL, url=panel.url))
        self._listen()

    def _listen(self) -> None:
        """Notice paid calls the moment the panel is about to answer them."""
        answer = self._panel.api.answer

        def heard(form: Mapping[str, str]) -> Reply:
            if form.get("action") in ACTING:
                self._called.set()
            return answer(form)

        self._panel.api.answer = heard  # type: ignore[method-assign]

    async def run(self, kills: int) -> None:
        """All kills, one after the other, then peace and judgement."""
        began = time.monotonic()
        for _ in range(kills):
            await self._new_orders()
            daemon = self._start()
            self._wait_for_the_moment()
            daemon.signal(signal.SIGKILL)
            self._reap(daemon)
            self.toll.kills += 1
        books = await self._peace()
        self._judge(books)
        self.toll.seconds = time.monotonic() - began

    async def _new_orders(self) -> None:
        """Work for the next daemon: an order for one or two of the rules."""
        panel, chance = self._panel, self._chance
        new = []
        for service, quantity, state, remains in chance.sample(
            [
                (4, 1000, "Partial", 157),
                (1, 1000, "Partial", 400),
                (2, 500, "Canceled", None),
                (1, 1000, "In progress", 900),
            ],
            chance.randint(1, 2),
        ):
            self.toll.orders += 1
            link = f"https://example.com/{self.toll.orders}"
            number = panel.add_order(service, quantity, link, status=state, remains=remains)
            given = {"link": link, "quantity": str(quantity)}
            entity = Entity(EntityKind.ORDER, PANEL, number)
            new.append(NewOrder(entity, str(service), given, panel.order(number).placed_at))
        async with await SqliteLedger.open(self._directory / "ledger.db") as ledger:
            await ledger.track(new, datetime.now(UTC))

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

    async def _books(self) -> Books:
        async with await SqliteLedger.open(self._directory / "ledger.db") as ledger:
            intents, messages = await ledger.intents((), _MANY), await ledger.messages((), _MANY)
        return Books(tuple(sorted(intents, key=lambda i: i.id)), tuple(sorted(messages, key=lambda m: m.id)))

    def _judge(self, books: Books) -> None:
        toll, journal = self.toll, self._journal()
        doubled = journal.duplicates()
        unknown_effects = effects_known(journal, books)
        calls = sum(len(journal.requests(action)) for action in ACTING)
        attempts = sum(intent.attempts for intent in books.intents)
        doubtful = [intent for intent in books.intents if intent.state is IntentState.UNKNOWN]
        told = {m.dedup_key for m in books.messages if m.state is MessageState.DELIVERED}
        untold = [intent.id for intent in doubtful if f"operator:unknown:{intent.id}" not in told]
        toll.paid_calls, toll.paid_effects = calls, sum(1 for e in journal.paid_effects() if e.request)
        toll.doubled, toll.lost, toll.untold = len(doubled), len(unknown_effects), len(untold)
        toll.in_doubt = len(doubtful)
        toll.states = dict(Counter(f"{intent.kind} {intent.state}" for intent in books.intents))
        toll.wrong += [f"DOUBLED: {group}" for group in doubled]
        toll.wrong += [f"LOST: {effect}" for effect in unknown_effects]
        toll.wrong += [f"nobody was told that intent {number} is in doubt" for number in untold]
        if calls > attempts:
            toll.wrong.append(f"{calls} paid calls were made, {attempts} were claimed")
        again = [intent.id for intent in books.intents if intent.attempts > 1]
        if again:
            toll.wrong.append(f"claimed more than once: {again}")

    def _journal(self) -> Journal:
        path = self._panel.settings.journal
        assert path is not None
        return Journal.read(path)


def run_world(asked: tuple[int, int, str | None]) -> Toll:
    """So many kills in one world, from one seed."""
    kills, seed, base = asked
    launcher = Launcher()
    try:
        with tempfile.TemporaryDirectory(prefix="smm-kills-", dir=base) as directory:
            journal = Path(directory) / "panel-journal.jsonl"
            with RunningSimulator(SimulatorSettings(speed=0, journal=journal)) as panel:
                panel.set_balance(Decimal(10_000_000))
                arena = Arena(Path(directory), panel, launcher, Random(seed))
                asyncio.run(arena.run(kills))
                return arena.toll
    finally:
        launcher.close()


def run(kills: int, processes: int, seed: int, base: str | None, largest: int = 500) -> Toll:
    """Kills spread over worlds of at most `largest` each, `processes` of them at a time; their sum."""
    worlds = max(processes, -(-kills // largest))
    shares = [kills // worlds + (number < kills % worlds) for number in range(worlds)]
    asked = [(share, seed + number, base) for number, share in enumerate(shares) if share]
    whole = Toll()
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
