"""Replaces the edges of the program, and nothing else: sockets, the ticker, the machine's clock, channels.

Everything between them is the product's own: loading, polling, engine, ledger over real SQLite, executor,
delivery, the daemon's life. Only its resting pulses are slower, so that months fit into minutes.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apsw
import structlog

from smm_rules.daemon import daemon as daemon_module
from smm_rules.daemon import jobs, parts, work
from smm_rules.daemon.progress import Progress
from smm_rules.ledger import lock, opening
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.stamp import StampFile
from smm_rules.notify.channel import Channel
from smm_rules.notify.delivery import deliver_due
from smm_rules.panel import transport
from smm_rules.simulator import journal
from tests.proof.disk import SECTOR, Disk
from tests.proof.network import Network
from tests.proof.ticker import Ticker
from tests.proof.timeline import Timeline, machine_datetime


class Locks:
    """The locks the living process holds: the kernel drops them when it dies."""

    def __init__(self) -> None:
        self.held: list[DaemonLock] = []

    def make(self, path: Any) -> DaemonLock:
        made = DaemonLock(path)
        self.held.append(made)
        return made

    def drop(self) -> None:
        for held in self.held:
            held.release()
        self.held.clear()


class Stamps:
    """The ledger's stamp is written past SQLite: what of it was never synced may go with the power, too."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._synced: dict[Path, bytes] = {}

    def move(self, file: StampFile, stamp: Any, *, durable: bool) -> None:
        _MOVE(file, stamp, durable=durable)
        if durable:
            self._synced[file.path] = file.path.read_bytes()

    def begin(self, file: StampFile, stamp: Any) -> None:
        _BEGIN(file, stamp)
        self._synced[file.path] = file.path.read_bytes()

    def lose_power(self) -> None:
        """Any sectors may be as they were at the last sync. The file stays itself: its inode is known."""
        for path, synced in self._synced.items():
            if not path.exists():
                continue
            present = path.read_bytes()
            old = synced.ljust(len(present), b"\0")
            with path.open("r+b") as file:
                for at in range(0, len(present), SECTOR):
                    if present[at : at + SECTOR] != old[at : at + SECTOR] and self._chance.random() < 0.5:
                        file.seek(at)
                        file.write(old[at : at + SECTOR])
            self._synced[path] = path.read_bytes()


_MOVE, _BEGIN = StampFile.move, StampFile.begin


@contextmanager
def replaced(
    timeline: Timeline,
    chance: random.Random,
    disk: Disk,
    locks: Locks,
    network: Network,
    make_channel: Callable[..., Channel],
    on_event: Callable[[str, str, Mapping[str, Any]], None],
    tick_seconds: float,
    stamps: Stamps,
) -> Iterator[None]:
    """The block runs on simulated edges; `on_event` hears every log event with its level."""
    clock = machine_datetime(timeline)

    def seconds() -> float:
        return timeline.seconds

    def way_of(made: transport.Transport) -> Network:
        return network.of(made._endpoint.name)

    def hear(_: Any, method: str, event: Any) -> Any:
        on_event(method, str(event.get("event", "")), event)
        raise structlog.DropEvent

    values: list[tuple[Any, str, Any]] = [
        (transport.Transport, "_connections", lambda made: way_of(made).transport()),
        (transport.Transport, "_kept_connections", lambda made: way_of(made).connections()),
        (transport, "datetime", clock),
        (jobs, "datetime", clock),
        (jobs, "AsyncIOScheduler", lambda **_: Ticker(timeline, chance)),
        (jobs, "CLOCK_COMPARED_EVERY", 4 * tick_seconds),
        (daemon_module, "Jobs", functools.partial(jobs.Jobs, machine_time=seconds)),
        (daemon_module, "Progress", functools.partial(Progress, monotonic=seconds)),
        (opening, "DaemonLock", locks.make),
        (StampFile, "move", lambda file, stamp, *, durable: stamps.move(file, stamp, durable=durable)),
        (StampFile, "begin", lambda file, stamp: stamps.begin(file, stamp)),
        (lock, "_PAUSE_SECONDS", 0.0),
        (parts, "make_channel", make_channel),
        (work, "SHORTEST_TICK", tick_seconds),
        (work, "LONGEST_TICK", tick_seconds),
        (work, "HEARTBEAT_SECONDS", 10 * tick_seconds),
        (work, "HEALTH_EVERY", timedelta(seconds=10 * tick_seconds)),
        (work, "deliver_due", functools.partial(deliver_due, monotonic=seconds)),
        (journal, "REQUESTS_IN_MEMORY", 1000),
    ]
    before = structlog.get_config()
    state = random.getstate()
    with ExitStack() as stack:
        for owner, name, value in values:
            stack.enter_context(patch.object(owner, name, value))
        apsw.connection_hooks.append(disk.connections.add)
        stack.callback(apsw.connection_hooks.remove, disk.connections.add)
        structlog.configure(processors=[structlog.contextvars.merge_contextvars, hear])
        stack.callback(lambda: structlog.configure(**before))
        stack.callback(random.setstate, state)
        random.seed(chance.random())
        apsw.randomness(0)
        yield
