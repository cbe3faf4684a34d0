"""Real processes for the ledger's tests: forked, so that one costs milliseconds.

A forked process opens connections of its own and never comes back into pytest: it ends by a signal or by
`os._exit`.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable


def start(job: Callable[[], None]) -> int:
    """Run `job` in a process of its own; its process ID."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        return process
    try:
        job()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def wait(process: int) -> int:
    """The exit code; negative the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def die() -> None:
    """End this process as a loss of power would."""
    os.kill(os.getpid(), signal.SIGKILL)
