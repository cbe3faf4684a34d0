"""What a running daemon takes: `python -m benchmarks.daemon`.

`smm-rules run` as a process of its own against the simulator. First with nothing tracked: resident memory and
CPU while it idles on the default intervals. Then with 100,000 orders, after every one has been looked at.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import psutil

from benchmarks.measure import Row, arguments_of, tell
from benchmarks.panel import panel_process
from benchmarks.sweep import FIRST_ORDER, PANEL, RULES, track
from smm_rules.ledger.sqlite import SqliteLedger

_MIB = 1024 * 1024
_START_SECONDS, _SWEEP_SECONDS = 30, 600
#: The daemon ticks four times in its shortest interval: with refills, of which there are none, every second
#: it sweeps as often as it may, and each order is looked at once.
_QUICK = "poll: {orders: 2h, refills: 1s, balance: 2h, catalogue: 2h}\n    requests_per_minute: 6000"
_DEFAULT = "poll: {}"
_CONFIGURATION = """\
panels:
  - name: {panel}
    url: {url}
    key: {{file: panel.key}}
    {pace}
channels:
  ops: {{log: {{}}}}
rules: {rules}
ledger: ledger.db
observation_gap: 5h
guards: {{spend: 50.00/day}}
logging: {{format: json, level: warning}}
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """Resident and unshared memory in MiB, and CPU as a share of one core over the time watched."""

    resident: float
    unshared: float
    cpu_share: float


class Asked(Protocol):
    """A panel's address and key."""

    @property
    def url(self) -> str: ...

    @property
    def key(self) -> str: ...


def write_stage(directory: Path, panel: Asked, pace: str, rules: Path = RULES) -> Path:
    key = directory / "panel.key"
    key.touch(mode=0o600)
    key.write_text(panel.key)
    configuration = directory / "smm-rules.yaml"
    configuration.write_text(
        _CONFIGURATION.format(panel=PANEL, url=panel.url, pace=pace, rules=rules.resolve())
    )
    return configuration


@contextmanager
def running_daemon(configuration: Path) -> Iterator[psutil.Process]:
    """`smm-rules run` from READY, as it tells systemd, until the block ends."""
    program = str(Path(sys.executable).with_name("smm-rules"))
    address = str(configuration.with_name("notify.socket"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(address)
        told.settimeout(_START_SECONDS)
        environment = {**os.environ, "NOTIFY_SOCKET": address}
        command = [program, "run", "--config", str(configuration)]
        with subprocess.Popen(command, env=environment) as process:
            try:
                while b"READY=1" not in told.recv(4096):
                    pass
                yield psutil.Process(process.pid)
            finally:
                process.terminate()
                process.wait(_START_SECONDS)


def usage(process: psutil.Process, seconds: float) -> Usage:
    """Watch a process for a while."""
    before, started = process.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, elapsed = process.cpu_times(), time.monotonic() - started
    cpu = (after.user + after.system) - (before.user + before.system)
    memory = process.memory_full_info()
    return Usage(memory.rss / _MIB, memory.uss / _MIB, cpu / elapsed)


def idle(directory: Path, seconds: float) -> Usage:
    with panel_process("empty") as panel:
        configuration = write_stage(directory, panel, _DEFAULT)
        with running_daemon(configuration) as process:
            time.sleep(5)  # the first looks at catalogue and balance are not idling
            return usage(process, seconds)


async def fill(path: Path, orders: int) -> None:
    ids = [str(number) for number in range(FIRST_ORDER, FIRST_ORDER + orders)]
    async with await SqliteLedger.open(path) as ledger:
        await track(ledger, ids, datetime.now(UTC))


async def all_looked_at(path: Path) -> float:
    """Wait until the daemon has nothing due; the seconds it took."""
    started = time.monotonic()
    async with await SqliteLedger.open(path) as ledger:
        while (await ledger.totals(datetime.now(UTC))).due:
            if time.monotonic() - started > _SWEEP_SECONDS:
                raise RuntimeError("the daemon didn't look at all orders in time")
            await asyncio.sleep(1)
    return time.monotonic() - started


def loaded(directory: Path, orders: int, seconds: float) -> tuple[Usage, float]:
    """Usage after a sweep over `orders`, and the seconds all its sweeps took."""
    with panel_process(f"steady:{orders}") as panel:
        configuration = write_stage(directory, panel, _QUICK)
        ledger_path = directory / "ledger.db"
        asyncio.run(fill(ledger_path, orders))
        with running_daemon(configuration) as process:
            swept = asyncio.run(all_looked_at(ledger_path))
            return usage(process, seconds), swept


def rows(orders: int, seconds: float, parent: Path | None) -> list[Row]:
    command = f"python -m benchmarks.daemon --orders {orders} --seconds {seconds:g}"
    with tempfile.TemporaryDirectory(dir=parent) as name:
        resting = idle(Path(name), seconds)
    with tempfile.TemporaryDirectory(dir=parent) as name:
        busy, swept = loaded(Path(name), orders, seconds)
    return [
        Row("daemon, nothing tracked: resident", _memory(resting), "1 run", command),
        Row(
            "daemon, nothing tracked: CPU of a core",
            f"{resting.cpu_share:.2%}",
            f"over {seconds:g} s",
            command,
        ),
        Row(
            f"daemon after looking at {orders:,} orders: resident",
            _memory(busy),
            f"1 run, {swept:.0f} s",
            command,
        ),
    ]


def _memory(found: Usage) -> str:
    millions = found.resident * _MIB / 1e6
    return f"{found.resident:.0f} MiB, {millions:.1f} million bytes, {found.unshared:.0f} MiB unshared"


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--directory", type=Path, help="where to put files (default: temporary ones)")
    given = parser.parse_args()
    tell(rows(given.orders, given.seconds, given.directory), as_json=given.json)


if __name__ == "__main__":
    main()
