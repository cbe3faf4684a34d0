"""Starts real daemons by forking: one interpreter that has imported everything, a process of its own each.

Run as `python -m tests.endtoend.crashing_daemon`; see `tests.endtoend.forking` for how it is spoken to. A
child is told its `arguments`, `pace` and `crash`, too.

The child runs the command line itself, as the installed `smm-rules` does. `crash` names a boundary at which
it is to end by SIGKILL. `pace` is [instant, factor]: its clock runs `factor` times as fast since `instant`,
the same over every restart, so that a retry after 30 s needs no waiting, and it asks more often what is
due.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from smm_rules import clock
from smm_rules.cli import app, run  # noqa: F401 - imported once, here, as all that `run` imports when it starts
from smm_rules.daemon import daemon, work  # noqa: F401
from smm_rules.notify.channels import email, webhook  # noqa: F401
from tests.endtoend.boundaries import install
from tests.endtoend.forking import serve

#: How often a paced daemon asks what is due, in seconds of the machine's time.
TICK = 0.08


class PacedClock:
    """A clock that runs `factor` times as fast as the machine's since `start`."""

    def __init__(self, start: float, factor: float) -> None:
        self._start = start
        self._factor = factor

    def now(self) -> datetime:
        seconds = self._start + (time.time() - self._start) * self._factor
        return datetime.fromtimestamp(seconds, UTC)

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds() / self._factor


def _child(asked: dict[str, Any]) -> int:
    """The command line that was asked for."""
    if asked.get("pace"):
        start, factor = asked["pace"]
        work.SHORTEST_TICK = TICK
        # `run` takes it from there when it starts.
        clock.SystemClock = lambda: PacedClock(start, factor)  # type: ignore[assignment,misc,return-value]
    if asked.get("crash"):
        install(*asked["crash"])
    return app.run(asked["arguments"])


if __name__ == "__main__":
    serve(_child)
