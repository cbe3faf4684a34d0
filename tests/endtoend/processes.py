"""Daemons and commands as processes of their own: forked by the launcher, or the installed `smm-rules`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.endtoend.waiting import PATIENCE, eventually

ROOT = Path(__file__).parents[2]
#: The command as it was installed beside the interpreter that runs the tests.
INSTALLED = Path(sys.executable).with_name("smm-rules")


@dataclass
class Running:
    """One process. `output` and `errors` are the files its two streams go to; `reap` gives its exit code."""

    process: int
    output: Path
    errors: Path
    reap: Callable[[], int]
    code: int | None = None

    def signal(self, number: int) -> None:
        if self.code is None:
            os.kill(self.process, number)

    async def ended(self, seconds: float = PATIENCE) -> int:
        """Wait for its end; its exit code, negative the signal that ended it."""
        if self.code is None:
            await _until_gone(self.process, seconds, self)
            self.code = self.reap()
        return self.code

    async def stop(self) -> int:
        """SIGTERM, and wait."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    def end_now(self) -> None:
        """Leave nothing running, whatever the test came to."""
        if self.code is None:
            self.signal(signal.SIGKILL)
            self.code = self.reap()

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """Its log so far, line by line as JSON; of one event or all."""
        lines = self.errors.read_text(errors="replace").splitlines(keepends=True)
        whole = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}\n")]
        return [event for event in whole if name in (None, event["event"])]

    async def said(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until it has logged an event at least `count` times."""

        def probe() -> list[dict[str, Any]]:
            found = self.events(name)
            if len(found) < count and not _alive(self.process):
                raise AssertionError(f"it ended before {name}:\n{self.errors.read_text(errors='replace')}")
            return found if len(found) >= count else []

        return await eventually(probe, f"event {name}", describe=self.tail)

    def tail(self) -> str:
        return self.errors.read_text(errors="replace")[-6000:]


class Launcher:
    """The forking interpreter of this test process. `module` is what it runs."""

    def __init__(self, module: str = "tests.endtoend.crashing_daemon") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(
        self,
        arguments: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        name: str,
        *,
        pace: tuple[float, float] | None = None,
        crash: tuple[str, int] | None = None,
    ) -> Running:
        return self.begin(
            {"arguments": list(arguments), "pace": pace, "crash": crash}, directory, environment, name
        )

    def begin(
        self, what: Mapping[str, object], directory: Path, environment: Mapping[str, str], name: str
    ) -> Running:
        """Fork a child that is told `what` to become, with its streams going to files called `name`."""
        output, errors = directory / f"{name}.out", directory / f"{name}.err"
        errors.touch()
        streams = {"output": str(output), "errors": str(errors)}
        place = {"directory": str(directory), "environment": dict(environment)}
        answer = self._ask({"start": {**what, **place, **streams}})
        process = int(answer["process"])
        return Running(process, output, errors, lambda: int(self._ask({"reap": process})["status"]))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _ask(self, question: Mapping[str, object]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def start_installed(
    arguments: Sequence[str], directory: Path, environment: Mapping[str, str], name: str
) -> Running:
    """Start the installed `smm-rules` as a shell would."""
    output, errors = directory / f"{name}.out", directory / f"{name}.err"
    with output.open("ab") as out, errors.open("ab") as err:
        process = subprocess.Popen(
            [INSTALLED, *arguments],
            cwd=directory,
            env={**_plain_environment(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
    return Running(process.pid, output, errors, process.wait)


def _plain_environment() -> dict[str, str]:
    """What a service manager passes on; nothing of the tests' own settings."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def _alive(process: int) -> bool:
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] != "Z"


async def _until_gone(process: int, seconds: float, running: Running) -> None:
    """Wait on the kernel's own word for the end of a process, whosever child it is."""
    loop = asyncio.get_running_loop()
    descriptor = os.pidfd_open(process)
    gone = loop.create_future()
    loop.add_reader(descriptor, lambda: gone.done() or gone.set_result(None))
    try:
        async with asyncio.timeout(seconds):
            await gone
    except TimeoutError:
        raise AssertionError(f"process {process} didn't end:\n{running.tail()}") from None
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
