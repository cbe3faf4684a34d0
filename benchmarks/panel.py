"""The bundled simulator in a process of its own, so that its work is on nobody else's account.

`python -m benchmarks.panel steady:1000 0.1` serves on a free port of loopback until it is terminated, and
writes its address as the first line.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import psutil

_STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class PanelProcess:
    """A running simulator: API v2 at `url`, its controls below `base_url`."""

    url: str
    base_url: str
    key: str
    process: psutil.Process

    def advance(self, seconds: float) -> None:
        """Move the panel's clock, which stands still otherwise."""
        answer = httpx.post(f"{self.base_url}/control/advance", json={"seconds": seconds}, trust_env=False)
        answer.raise_for_status()

    def cpu_seconds(self) -> float:
        """CPU time the simulator has used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@contextmanager
def panel_process(scenario: str, changing_share: float = 0.0) -> Iterator[PanelProcess]:
    """A simulator with `scenario` while the block runs."""
    from smm_rules.simulator.settings import DEFAULT_KEY

    command = [sys.executable, "-m", "benchmarks.panel", scenario, str(changing_share)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            base_url = process.stdout.readline().strip()
            if not base_url:
                raise RuntimeError("the simulator didn't start")
            yield PanelProcess(f"{base_url}/api/v2", base_url, DEFAULT_KEY, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def main() -> None:
    from smm_rules.simulator import RunningSimulator, SimulatorSettings, serve

    def ready(running: RunningSimulator) -> None:
        print(running.base_url, flush=True)

    scenario, share = sys.argv[1], float(sys.argv[2])
    serve(SimulatorSettings(scenario=scenario, changing_share=share, speed=0), ready)


if __name__ == "__main__":
    main()
