"""Real workers by forking: one interpreter that has imported everything, a process of its own each.

Run as `python -m tests.cluster.launching`; see `tests.endtoend.forking` for how it is spoken to. A
child is told: `configuration` and `url`, `pace` (its clock runs `factor` times as fast as the server's
since `instant`), `skew` (seconds by which its machine's clock is wrong) and `strike` (a moment, which time
it comes, and the signal it gets then).
"""

from __future__ import annotations

import asyncio
import datetime as datetimes
import inspect
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from smm_rules.cluster.clock import ServerClock
from smm_rules.cluster.ledger import WorkerLedger
from smm_rules.cluster.worker import ClusterWorker, Place
from smm_rules.config.load import load_configuration
from smm_rules.daemon import work
from smm_rules.ledger.postgres import Access
from smm_rules.observe import configure_logging
from tests.endtoend.boundaries import install
from tests.endtoend.forking import serve
from tests.endtoend.processes import Launcher, Running

#: How often a paced worker's own loops ask what is due, in seconds of the machine's time.
TICK = 0.2


class PacedClock(ServerClock):
    """The server's clock, `factor` times as fast since `start`."""

    def __init__(self, start: float, factor: float) -> None:
        super().__init__()
        self._start = datetime.fromtimestamp(start, UTC)
        self._factor = factor

    def now(self) -> datetime:
        return self._start + (super().now() - self._start) * self._factor

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds() / self._factor


class WorkerLauncher(Launcher):
    """The forking interpreter of this test process."""

    def __init__(self) -> None:
        super().__init__("tests.cluster.launching")

    def worker(
        self,
        directory: Path,
        url: str,
        name: str,
        environment: dict[str, str],
        *,
        pace: tuple[float, float],
        skew: float = 0.0,
        strike: tuple[str, int, int] | None = None,
    ) -> Running:
        what = {
            "configuration": str(directory / "smm-rules.yaml"),
            "url": url,
            "pace": pace,
            "skew": skew,
            "strike": strike,
        }
        return self.begin(what, directory, environment, name)


def _child(asked: dict[str, Any]) -> int:
    """The worker that was asked for."""
    work.SHORTEST_TICK = TICK
    if asked["strike"]:
        moment, occurrence, wanted = asked["strike"]
        install(moment, occurrence, ledger=WorkerLedger, number=signal.Signals(wanted))
    if asked["skew"]:
        _skew(asked["skew"])
    asyncio.run(_work(asked))
    return 0


async def _work(asked: dict[str, Any]) -> None:
    configuration = load_configuration(Path(asked["configuration"]), os.environ)
    configure_logging("json", "info", ())
    clock = PacedClock(*asked["pace"])
    worker = ClusterWorker(configuration, os.environ, Place(Access(asked["url"])), clock=clock)
    worker.listen_to_signals()
    await worker.run()


def _skew(seconds: float) -> None:
    """Make the wall clock of this process wrong wherever Python asks for it."""
    right = time.time
    time.time = lambda: right() + seconds

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: datetimes.tzinfo | None = None) -> datetime:
            return datetime.fromtimestamp(time.time(), tz)

    for name, module in list(sys.modules.items()):
        # Only where the time is asked for: elsewhere the class itself is compared.
        ours = name.startswith(("smm_rules", "procrastinate")) and vars(module).get("datetime") is datetime
        if ours and "datetime.now(" in inspect.getsource(module):
            vars(module)["datetime"] = Wrong


if __name__ == "__main__":
    serve(_child)
