"""A month of the daemon's life in simulated time: `python -m tests.proof.soak --days 30`.

Once a simulated day it measures what may grow: the ledger's file, the pages in use, the rows of each table,
and the memory the daemon's own modules hold. Housekeeping with a short retention must keep it all in bounds.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
import tracemalloc
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import apsw

import smm_rules
from tests.proof.simulate import again_with_fixed_hashes, directory_of
from tests.proof.world import DAY, Settings, World

_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table'"
_OURS = str(Path(smm_rules.__file__).parent)


@dataclass(frozen=True)
class Measured:
    """One day's end. Sizes in bytes; `rows` by table; `orders` ever watched."""

    day: int
    file: int
    log: int
    used: int
    memory: int
    process: int
    orders: int
    rows: dict[str, int]


@dataclass
class Soaked:
    """What a soak came to."""

    days: float
    seconds: float
    wrong: list[str]
    effects: int
    measured: list[Measured] = field(default_factory=list)


def soak(days: float, seed: int, orders_a_day: float, *, memory: bool) -> Soaked:
    """Live `days` days with a retention of three."""
    settings = Settings(
        seed,
        days,
        frozenset({"network"}),
        tick_seconds=600,
        orders_a_day=orders_a_day,
        retention="3d",
        polls=("14m", "1h", "1h"),
        lives_a_day=0.0001,
    )
    measured: list[Measured] = []
    began = time.monotonic()
    if memory:
        tracemalloc.start()
    with directory_of(seed) as directory:
        world = World(settings, directory)

        def measure() -> None:
            world.judge.archive()
            measured.append(_measure(world, len(measured) + 1))
            world.timeline.after(DAY, measure)

        world.timeline.after(DAY, measure)
        world.run()
    if memory:
        tracemalloc.stop()
    effects = len(world.panel.effects)
    return Soaked(days, time.monotonic() - began, world.wrong, effects, measured)


def _measure(world: World, day: int) -> Measured:
    connection = apsw.Connection(str(world.copy_of_ledger()), vfs="unix")
    try:
        pages, free, size = (
            int(str(connection.pragma(name))) for name in ("page_count", "freelist_count", "page_size")
        )
        schema: list[Any] = connection.execute(_TABLES).fetchall()
        names = [str(name) for (name,) in schema if not name.startswith("sqlite")]
        counts: list[Any] = [connection.execute(f"SELECT count(*) FROM {name}").fetchall() for name in names]
        rows = {name: int(count[0][0]) for name, count in zip(names, counts, strict=True)}
    finally:
        connection.close()
    log = Path(f"{world.ledger_path}-wal")
    return Measured(
        day,
        world.ledger_path.stat().st_size,
        log.stat().st_size if log.exists() else 0,
        (pages - free) * size,
        _memory(),
        _process(),
        len(world.panel.links),
        rows,
    )


def _memory() -> int:
    """Bytes that the program's own modules, but for the simulator, have allocated and hold; 0 untraced."""
    if not tracemalloc.is_tracing():
        return 0
    gc.collect()
    kept = tracemalloc.take_snapshot().filter_traces(
        [
            tracemalloc.Filter(True, f"{_OURS}/*"),
            tracemalloc.Filter(False, f"{_OURS}/simulator/*"),
        ]
    )
    return sum(statistic.size for statistic in kept.statistics("filename"))


def _process() -> int:
    """Resident bytes of this process: the simulated panel, network and judge are in it, too."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    again_with_fixed_hashes("tests.proof.soak")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", default=30.0, type=float)
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--orders", default=4.0, type=float, help="new orders a day")
    parser.add_argument("--memory", action="store_true", help="trace the memory, which takes twice as long")
    asked = parser.parse_args()
    soaked = soak(asked.days, asked.seed, asked.orders, memory=asked.memory)
    print(json.dumps(asdict(soaked)))
    sys.stdout.flush()
    os._exit(1 if soaked.wrong else 0)


if __name__ == "__main__":
    main()
