"""Starts real daemons by forking: one interpreter that has imported everything, a process of its own each.

Run as `python -m tests.endtoend.crashing_daemon`. A line of JSON in asks for something, a line answers:

    {"start": {"arguments", "directory", "environment", "output", "errors", "pace", "crash"}} → {"process": …}
    {"reap": process} → {"status": …}

The child runs the command line itself, as the installed `smm-rules` does. `crash` names a boundary at which
it is to end by SIGKILL. `pace` is [instant, factor]: its clock runs `factor` times as fast since `instant`,
the same over every restart, so that a retry after 30 s needs no waiting, and
it asks more often what is due. When the input ends, so do all.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any

from smm_rules import clock
from smm_rules.cli import app, run  # noqa: F401 - imported once, here, as all that `run` imports when it starts
from smm_rules.daemon import daemon, work  # noqa: F401
from smm_rules.notify.channels import email, webhook  # noqa: F401
from tests.endtoend.boundaries import install

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


def _child(asked: dict[str, Any]) -> None:
    """Become the command that was asked for; never returns."""
    code = 70
    try:
        for number, path, flags in (
            (0, os.devnull, os.O_RDONLY),
            (1, asked["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
            (2, asked["errors"], os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        ):
            opened = os.open(path, flags, 0o600)
            os.dup2(opened, number)
            os.close(opened)
        os.chdir(asked["directory"])
        os.environ.update(asked["environment"])
        if asked.get("pace"):
            start, factor = asked["pace"]
            work.SHORTEST_TICK = TICK
            # `run` takes it from there when it starts.
            clock.SystemClock = lambda: PacedClock(start, factor)  # type: ignore[assignment,misc]
        if asked.get("crash"):
            install(*asked["crash"])
        code = app.run(asked["arguments"])
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    children: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        if "start" in asked:
            process = os.fork()
            if process == 0:
                _child(asked["start"])
            children.add(process)
            answer = {"process": process}
        else:
            _, status = os.waitpid(asked["reap"], 0)
            children.discard(asked["reap"])
            answer = {"status": os.waitstatus_to_exitcode(status)}
        print(json.dumps(answer), flush=True)
    for process in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


if __name__ == "__main__":
    main()
