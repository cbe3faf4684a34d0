"""How long `smm-rules run` takes from its start to READY: `python -m benchmarks.start`.

The installed command as a process of its own, with rules as `benchmarks.check` writes them and a new ledger,
until it tells systemd that it is ready. CPU is that of the whole process, starting Python included.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.check import SIZES, write_rules
from benchmarks.daemon import running_daemon, write_stage
from benchmarks.measure import Row, arguments_of, median, spread, tell
from benchmarks.panel import PanelProcess, panel_process

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds until READY, by the wall and of CPU, and resident memory in MiB then."""

    wall: float
    cpu: float
    resident: float


def start(panel: PanelProcess, count: int) -> Start:
    """Start the daemon with `count` rules, once."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        rules = directory / "rules.yaml"
        write_rules(rules, count)
        configuration = write_stage(directory, panel, "poll: {}", rules)
        started = time.monotonic()
        with running_daemon(configuration) as process:
            wall, used = time.monotonic() - started, process.cpu_times()
            return Start(wall, used.user + used.system, process.memory_info().rss / _MIB)


def row(count: int, starts: list[Start], command: str) -> Row:
    cpu = [one.cpu for one in starts]
    wall, resident = median(one.wall for one in starts), median(one.resident for one in starts)
    figure = f"{median(cpu):.2f} s, {wall:.2f} s by the wall, {resident:.0f} MiB"
    return Row(f"`smm-rules run` to READY, {count:,} rules, CPU", figure, spread(cpu), command)


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    command = f"python -m benchmarks.start --runs {given.runs}"
    with panel_process("empty") as panel:
        starts = {count: [start(panel, count) for _ in range(given.runs)] for count in SIZES}
    tell([row(count, found, command) for count, found in starts.items()], as_json=given.json)


if __name__ == "__main__":
    main()
