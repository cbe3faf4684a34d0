"""One simulated world: a panel with customers, a network, a disk, an operator, a daemon that dies a lot."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import math
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from smm_rules.config.load import load_configuration
from smm_rules.daemon.daemon import Daemon
from smm_rules.ledger.port import LedgerError
from smm_rules.notify.channel import Channel, DeliveryFailed, Message
from smm_rules.observe.sd_notify import Notifier
from smm_rules.simulator import AccountSettings, DialectName, Script, Simulator, SimulatorSettings
from tests.proof.disk import Disk, DiskFault
from tests.proof.edges import Locks, Stamps, replaced
from tests.proof.household import BROKEN, KEY, PANEL, Edition, configuration
from tests.proof.judge import Judge
from tests.proof.network import Network, Stage
from tests.proof.operator_actor import OperatorActor
from tests.proof.panel import Panel
from tests.proof.restoring import Restoring
from tests.proof.timeline import EPOCH, Crash, MachineClock, Slowness, Timeline, TrueClock, VirtualLoop
from tests.proof.trace import Trace

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
FAULTS = ("network", "disk", "crash", "power", "clock", "second", "reload", "prices", "restore")
SERVICES = (1, 2, 3, 4)


@dataclass
class Settings:
    """How a world is. `faults` are the kinds of trouble it knows."""

    seed: int
    days: float
    faults: frozenset[str] = frozenset(FAULTS)
    tick_seconds: float = 90.0
    orders_a_day: float = 30.0
    retention: str = "3650d"
    polls: tuple[str, str, str] = ("10m", "25m", "25m")
    lives_a_day: float = 6.0
    trace: Path | None = None
    sabotage: str = ""
    shops: bool = False


class SimulatedChannel:
    """Takes messages as a receiver far away does: late, not at all, or with the word of it lost."""

    def __init__(self, name: str, world: World) -> None:
        self._name = name
        self._world = world

    @property
    def name(self) -> str:
        return self._name

    async def send(self, message: Message) -> None:
        world = self._world
        await asyncio.sleep(world.chance.uniform(0.01, 0.5))
        trouble = world.chance.random() if world.troubled("network") else 1.0
        if trouble < 0.05:
            world.network.faults["message refused"] += 1
            raise DeliveryFailed("the receiver answered 503")
        world.receive(message)
        if trouble < 0.08:
            world.network.faults["message taken, answer lost"] += 1
            raise DeliveryFailed("no answer in time")

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass
class World:
    """Everything of one seed. Use `run`."""

    settings: Settings
    directory: Path
    trace: Trace = field(default_factory=Trace)
    received: dict[str, str] = field(default_factory=dict)
    arrivals: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    to_import: list[str] = field(default_factory=list)
    calm: bool = False

    def __post_init__(self) -> None:
        self.chance = Random(self.settings.seed)
        self.timeline = Timeline(self.trace)
        simulator = Simulator(
            SimulatorSettings(
                seed=self.settings.seed,
                start=EPOCH,
                dialect=self.chance.choice(list(DialectName)),
                accounts=(AccountSettings(key=KEY, balance=Decimal(500)),),
                script=Script(completed=45, partial=20, canceled=20, stuck=10, error=5,
                              delivery=(timedelta(minutes=10), timedelta(minutes=600))),
            ),
            clock=TrueClock(self.timeline),
        )  # fmt: skip
        self.panel = Panel(PANEL, simulator, lambda: self.timeline.seconds)
        self.network = Network(self.timeline, self.panel, Random(self.chance.random()))
        self.disk = Disk(Random(self.chance.random()), self._note_disk)
        self.disk.judge = self._judge_disk
        self.disk.on_crash = self.timeline.die
        self.timeline.on_death = self.disk.silence
        self.locks = Locks()
        self.stamps = Stamps(Random(self.chance.random()))
        self.edition = Edition()
        self.spend_a_day = self.chance.choice((Decimal("15.00"), Decimal("40.00"), Decimal("1000.00")))
        self.judge = Judge(self)
        self.restoring = Restoring(self, Random(f"restoring {self.settings.seed}"))
        self.operator = OperatorActor(self, Random(self.chance.random()))
        self._disk_trouble: tuple[float, DiskFault] = (0.0, DiskFault.FULL)
        self._crash_at_call: tuple[int, DiskFault] | None = None
        self._crash_at_stage: tuple[int, Stage] | None = None
        self.network.watch = self._watch_paid
        self.ledger_path = self.directory / "ledger.db"
        orders, refills, balance = self.settings.polls
        (self.directory / "smm-rules.yaml").write_text(
            configuration(orders, refills, balance, self.settings.retention, str(self.spend_a_day))
        )
        self.write_rules(self.edition.text())

    # -- what the parts ask of the world ------------------------------------------------------------------
    def troubled(self, kind: str) -> bool:
        return kind in self.settings.faults and not self.calm

    def note(self, kind: str, *what: object) -> None:
        self.trace.note(self.timeline.seconds, kind, *what)

    def _note_disk(self, kind: str, *what: object) -> None:
        if kind == "disk-fault":
            self.counts[f"disk {what[0]}"] += 1
        self.note(kind, *what)

    def fail(self, what: str) -> None:
        """Something that must never be."""
        self.wrong.append(f"day {self.timeline.seconds / DAY:.3f}: {what}")

    def write_rules(self, text: str) -> None:
        (self.directory / "rules.yaml").write_text(text)

    def receive(self, message: Message) -> None:
        self.note("message", message.key)
        self.arrivals[message.key] += 1
        digest = hashlib.sha256(message.body.encode()).hexdigest()
        if self.received.setdefault(message.key, digest) != digest:
            self.fail(f"the message {message.key} says two things")

    def hear(self, level: str, name: str, event: Mapping[str, Any]) -> None:
        """A log event: what only a defect can cause is held against the daemon."""
        self.counts[f"event {name}"] += 1
        if name in ("job.raised", "action.settle_failed"):
            ours = "LedgerError" in str(event.get("error")) or "ledger.db" in str(event.get("error"))
            if not (ours and "disk" in self.settings.faults):
                self.fail(f"{name}: {dict(event)}")
        elif name in ("action.check_failed", "rule.evaluation_failed", "channel.raised", "daemon.stuck"):
            self.fail(f"{name}: {dict(event)}")

    def daemon(self) -> Daemon:
        environment = {"PANEL_KEY": KEY}
        settings = load_configuration(self.directory / "smm-rules.yaml", environment)
        return Daemon(settings, environment, MachineClock(self.timeline), Notifier())

    # -- trouble ----------------------------------------------------------------------------------------
    def _judge_disk(self, call: str, name: str) -> DiskFault | None:
        if self._crash_at_call is not None and self.disk.calls >= self._crash_at_call[0]:
            return self._crash_at_call[1]
        until, fault = self._disk_trouble
        if self.timeline.seconds < until and self.troubled("disk"):
            if fault is DiskFault.IO_ERROR:
                return fault if self.chance.random() < 0.3 else None
            return fault
        return None

    @contextlib.contextmanager
    def quiet_disk(self) -> Iterator[None]:
        """Nothing goes wrong on the disk in the block."""
        judge, self.disk.judge = self.disk.judge, lambda *_: None
        try:
            yield
        finally:
            self.disk.judge = judge

    def _watch_paid(self, stage: Stage) -> None:
        if self._crash_at_stage is None or self._crash_at_stage[1] is not stage:
            return
        left = self._crash_at_stage[0] - 1
        self._crash_at_stage = (left, stage)
        if left == 0:
            self.counts[f"died with a paid call {stage.value}"] += 1
            self.timeline.die()

    def _plan_death(self) -> float:
        """Choose how this life ends; the seconds after which it is asked to stop in order."""
        chance, timeline = self.chance, self.timeline
        self._crash_at_call = self._crash_at_stage = timeline.crash_at_rest = None
        timeline.dying = False
        length = chance.expovariate(self.settings.lives_a_day / DAY)
        if not self.troubled("crash"):
            return length * 5
        kind = chance.choice(("rest", "call", "call", "stage", "stage", "time", "order"))
        if kind == "rest":
            timeline.crash_at_rest = timeline.rests + round(math.exp(chance.uniform(0, math.log(6_000))))
        elif kind == "call":
            calls = round(math.exp(chance.uniform(0, math.log(1_000))))
            how = chance.choice((DiskFault.CRASH_BEFORE, DiskFault.CRASH_AFTER))
            self._crash_at_call = (self.disk.calls + calls, how)
        elif kind == "stage":
            self._crash_at_stage = (chance.randint(1, 4), chance.choice(list(Stage)))
        elif kind == "time":
            timeline.after(length, self._end_of(self.counts["lives"] + 1))
        return length * (1 if kind == "order" else 2)

    def _end_of(self, life: int) -> Callable[[], None]:
        """Kills that life and no later one, should it have ended before by itself."""
        return lambda: self.timeline.die() if self.counts["lives"] == life else None

    def _plan_world(self) -> None:
        """What the world does by itself, for ever."""
        self._again(DAY / self.settings.orders_a_day, self._customer)
        self._again(6 * HOUR, self._other_money)
        if "prices" in self.settings.faults:
            self._again(9 * HOUR, self._prices)
        if "network" in self.settings.faults:
            self._again(4 * HOUR, self._weather)
        if "disk" in self.settings.faults:
            self._again(8 * HOUR, self._disk_trouble_comes)
        if "clock" in self.settings.faults:
            self._again(2 * DAY, self._clock_jumps)

    def _again(self, mean: float, happen: Any) -> None:
        def event() -> None:
            if not self.calm:
                happen()
            self.timeline.after(self.chance.expovariate(1 / mean), event)

        self.timeline.after(self.chance.expovariate(1 / mean), event)

    def _customer(self) -> None:
        chance, simulator = self.chance, self.panel.simulator
        service = chance.choice([row.id for row in simulator.services() if row.id in SERVICES])
        number = len(self.panel.links)
        link = f"https://example.com/{number}"
        order = simulator.add_order(service, chance.randrange(100, 3000, 50), link)
        self.panel.links[order] = link
        self.to_import.append(order)
        self.note("customer", order, service)

    def _other_money(self) -> None:
        balance = self.panel.simulator.balance()
        amount = Decimal(self.chance.choice((500, 200, 40, 3)))
        if amount > balance or self.chance.random() < 0.2:
            self.panel.simulator.set_balance(amount)

    def _prices(self) -> None:
        simulator, chance = self.panel.simulator, self.chance
        present = {row.id: row for row in simulator.services()}
        service = chance.choice(SERVICES)
        if service not in present:
            simulator.put_service(next(row for row in simulator.settings.services if row.id == service))
        elif chance.random() < 0.1 and len(present) > 3:
            simulator.remove_service(service)
        else:
            rate = present[service].rate * Decimal(str(round(chance.uniform(0.85, 1.2), 2)))
            simulator.set_service(service, rate=max(rate.quantize(Decimal("0.001")), Decimal("0.01")))

    def _weather(self) -> None:
        weather, chance = self.network.weather, self.chance
        weather.share = chance.choice((0.0, 0.02, 0.1, 0.3))
        weather.paid_share = chance.choice((0.0, 0.3, 0.6, 0.9))
        weather.slowest = chance.choice((0.3, 4.0, 15.0))
        if chance.random() < 0.2:
            weather.outage_until = self.timeline.seconds + chance.uniform(60, 3 * HOUR)

    def _disk_trouble_comes(self) -> None:
        fault = self.chance.choice((DiskFault.FULL, DiskFault.IO_ERROR, DiskFault.READ_ONLY))
        self._disk_trouble = (self.timeline.seconds + self.chance.uniform(1, 40 * MINUTE), fault)

    def _clock_jumps(self) -> None:
        jump = self.chance.choice((-1, 1)) * math.exp(self.chance.uniform(0, math.log(2 * DAY)))
        if self.chance.random() < 0.4:
            jump = -self.timeline.skew  # somebody sets it right
        self.timeline.skew = max(self.timeline.skew + jump, -self.timeline.seconds)
        self.counts["clock set " + ("back" if jump < 0 else "on")] += 1
        self.note("clock", f"{self.timeline.skew:.3f}")

    # -- lives --------------------------------------------------------------------------------------------
    def run(self) -> None:
        """Live through all the days, then a calm evening in which everything must come to rest; judge."""
        with self._edges():
            self._plan_world()
            end = self.settings.days * DAY
            while self.timeline.seconds < end and not self.wrong:
                self._live(min(self._plan_death(), end - self.timeline.seconds))
                self.restoring.perhaps()
            self._evening()
            self.judge.finally_()
        self.disk.drop_process()

    def _evening(self) -> None:
        self.calm = True
        self.network.weather.share = self.network.weather.paid_share = self.network.weather.outage_until = 0.0
        self.network.weather.slowest = 0.3
        self._disk_trouble = (0.0, DiskFault.FULL)
        self.panel.simulator.set_balance(Decimal(5000))
        self._plan_death()
        if not self.wrong:
            self._live(6 * HOUR)

    @contextlib.contextmanager
    def _edges(self) -> Iterator[None]:
        def make_channel(name: str, *_: object) -> Channel:
            return SimulatedChannel(name, self)

        with replaced(
            self.timeline,
            Random(self.chance.random()),
            self.disk,
            self.locks,
            self.network,
            make_channel,
            self.hear,
            self.settings.tick_seconds,
            self.stamps,
        ):
            yield

    def _live(self, seconds: float) -> None:
        """One process of the daemon, until it stops, fails to start, or dies."""
        self.write_rules(self.edition.text())
        loop = VirtualLoop(self.timeline, Slowness(Random(self.chance.random())))
        self.counts["lives"] += 1
        self.note("life", f"{seconds:.1f}")
        main = None
        try:
            main = loop.create_task(self._life(seconds))
            loop.run_until_complete(main)
        except Crash:
            self._bury(loop)
        else:
            self.locks.drop()
        for unhandled in loop.unhandled:
            self.fail(f"nobody handled {unhandled}")
        loop.close()

    def _bury(self, loop: VirtualLoop) -> None:
        """The process is dead: nothing of it may run again, so it is kept, not collected."""
        GRAVES.append([loop, *asyncio.all_tasks(loop)])
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        self.disk.drop_process()
        self.locks.drop()
        power = self.troubled("power") and self.chance.random() < 0.4
        if power:
            self.disk.lose_power()
            self.stamps.lose_power()
        self.counts["losses of power" if power else "kills"] += 1
        self.timeline.dying = False
        self.timeline.crash_at_rest = None
        self.judge.after_death(power)
        self.timeline.seconds += self.chance.uniform(1, 90)

    async def _life(self, seconds: float) -> None:
        daemon = self.daemon()
        running = asyncio.create_task(daemon.run(), name="daemon")
        acting = asyncio.create_task(self.operator.live(daemon), name="operator")
        await asyncio.wait({running}, timeout=seconds)
        daemon.stop()
        acting.cancel()
        try:
            await running
            self.counts["orderly stops"] += 1
        except LedgerError as error:
            self.counts["starts refused"] += 1
            if "disk" not in self.settings.faults:
                self.fail(f"the daemon couldn't run: {error}")
            await asyncio.sleep(30)
        await asyncio.wait({acting})
        if not acting.cancelled() and acting.exception() is not None:
            raise RuntimeError("the simulated operator failed") from acting.exception()

    def second_daemon(self) -> Daemon:
        self.counts["second daemons refused"] += 1
        return self.daemon()

    def new_edition(self, chance: Random) -> str:
        """Another text of the rules, with limits no looser than the judge knows, or a broken one."""
        if chance.random() < 0.2:
            return BROKEN.format(hold="10m", per_order=3, per_sweep=20, stuck="6h")
        self.edition = Edition(
            chance.choice(("2m", "10m", "30m")),
            chance.choice((1, 2, 3)),
            chance.choice((3, 20)),
            chance.choice(("3h", "6h")),
        )
        return self.edition.text()

    def copy_of_ledger(self) -> Path:
        """The ledger's files as they are, for the judge alone to open."""
        copy = self.directory / "judged.db"
        for ending in ("", "-wal"):
            source = Path(f"{self.ledger_path}{ending}")
            target = Path(f"{copy}{ending}")
            target.unlink(missing_ok=True)
            if source.exists():
                shutil.copyfile(source, target)
        Path(f"{copy}-shm").unlink(missing_ok=True)
        return copy


#: Dead processes, kept so that no line of theirs is run again by the collector.
GRAVES: list[list[Any]] = []
