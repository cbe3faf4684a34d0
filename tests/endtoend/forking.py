"""The forking side of a launcher: one interpreter that has imported everything, a process of its own each.

A line of JSON in asks for something, a line answers:

    {"start": {"directory", "environment", "output", "errors", …}} → {"process": …}
    {"reap": process} → {"status": …}

When the input ends, so do all.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

#: What a child becomes: it is given what was asked for, and its answer is the exit code.
Life = Callable[[dict[str, Any]], int]


def serve(life: Life) -> None:
    """Answer until the input ends."""
    children: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        if "start" in asked:
            process = os.fork()
            if process == 0:
                _live(life, asked["start"])
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


def _live(life: Life, asked: dict[str, Any]) -> None:
    """Become what was asked for, with streams, directory and environment of its own; never returns."""
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
        code = life(asked)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
