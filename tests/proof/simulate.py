"""Runs simulated worlds: `python -m tests.proof.simulate --seed N --days D --faults network,disk,…`.

One seed is one run, exactly: the same seed, days and faults give the same trace hash on every machine with
the same versions of Python and SQLite. `--seeds 1-1000` runs many, in processes of their own.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.proof.sabotage import SABOTAGES, sabotaged
from tests.proof.shops import ShopsWorld
from tests.proof.world import DAY, FAULTS, Settings, World


@dataclass
class Verdict:
    """What one run came to. `wrong` is empty when every promise was kept."""

    seed: int
    days: float
    trace: str
    seconds: float
    wrong: list[str]
    counts: dict[str, int]
    figures: dict[str, int]
    faults: dict[str, int]
    effects: dict[str, int]
    last: list[str] = field(default_factory=list)


@contextmanager
def directory_of(seed: int) -> Iterator[Path]:
    """On a RAM disk where there is one: what lasts is the simulated disk's business.

    A seed's directory always has the same name, for paths are written to the ledger and so are part of the
    trace. A second run of the same seed waits for the first.
    """
    base = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path(tempfile.gettempdir())
    with (base / f"smm-proof-{os.getuid()}.lock").open("w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX, 1, seed)
        made = base / f"smm-proof-{os.getuid()}-{seed}"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


def run_one(settings: Settings) -> Verdict:
    """One world from its beginning to its judgement."""
    started = time.monotonic()
    with directory_of(settings.seed) as directory:
        world = (ShopsWorld if settings.shops else World)(settings, directory)
        if settings.trace is not None:
            world.trace.file = settings.trace.open("w")
        try:
            with sabotaged(settings.sabotage):
                world.run()
        except Exception:
            world.fail(f"the run broke off: {traceback.format_exc()}")
    return Verdict(
        settings.seed,
        world.timeline.seconds / DAY,
        world.trace.digest,
        time.monotonic() - started,
        world.wrong,
        dict(sorted(world.counts.items())),
        dict(sorted(world.judge.figures.items())),
        dict(sorted(world.network.faults.items())),
        dict(Counter(effect.entry.kind.value for effect in world.panel.effects)),
        world.trace.last[-60:] if world.wrong else [],
    )


def run_many(seeds: list[int], settings: Settings, processes: int) -> Iterator[Verdict]:
    """Each seed in a process of its own, which takes its dead daemons along when it ends."""
    jobs = [Settings(**{**asdict(settings), "seed": seed}) for seed in seeds]
    with multiprocessing.get_context("fork").Pool(processes, maxtasksperchild=1) as pool:
        yield from pool.imap(run_one, jobs, chunksize=1)


def summed(verdicts: list[Verdict]) -> dict[str, Any]:
    """The figures of many runs in one."""

    def total(name: str) -> dict[str, int]:
        sums: Counter[str] = Counter()
        for verdict in verdicts:
            sums.update(getattr(verdict, name))
        return dict(sorted(sums.items()))

    days, seconds = sum(verdict.days for verdict in verdicts), sum(verdict.seconds for verdict in verdicts)
    return {
        "seeds": len(verdicts),
        "simulated days": round(days, 1),
        "simulated days a second of one core": round(days / seconds, 2) if seconds else 0,
        "wrong": [f"seed {v.seed}: {wrong}" for v in verdicts for wrong in v.wrong],
        "counts": {k: v for k, v in total("counts").items() if not k.startswith("event ")},
        "figures": total("figures"),
        "faults": total("faults"),
        "effects": total("effects"),
    }


def _seeds(text: str) -> list[int]:
    first, dash, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if dash else [int(part) for part in text.split(",")]


def again_with_fixed_hashes(module: str) -> None:
    """Start anew unless texts have fixed hashes: sets of texts are walked in the order of these."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], environment)


def main() -> None:
    again_with_fixed_hashes("tests.proof.simulate")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", "--seeds", dest="seeds", default="1", type=_seeds)
    parser.add_argument("--days", default=10.0, type=float)
    parser.add_argument("--faults", default=",".join(FAULTS), help=f"any of {', '.join(FAULTS)}, or none")
    parser.add_argument("--tick", default=90.0, type=float, help="seconds between two ticks")
    parser.add_argument("--orders", default=30.0, type=float, help="orders a day")
    parser.add_argument("--processes", default=1, type=int)
    parser.add_argument("--shops", action="store_true", help="three panels that sell the same")
    parser.add_argument("--json", action="store_true", help="one line for each seed and one for the sum")
    parser.add_argument("--events", action="store_true", help="count the daemon's log events, too")
    parser.add_argument("--sabotage", default="", help=f"break a promise: {', '.join(SABOTAGES)}")
    parser.add_argument("--trace", type=Path, help="write all that happens to this file")
    asked = parser.parse_args()
    faults = frozenset() if asked.faults == "none" else frozenset(asked.faults.split(","))
    if faults - set(FAULTS):
        parser.error(f"no such faults: {', '.join(sorted(faults - set(FAULTS)))}")
    if asked.shops:
        faults -= {"restore"}
    settings = Settings(
        0,
        asked.days,
        faults,
        asked.tick,
        asked.orders,
        trace=asked.trace,
        sabotage=asked.sabotage,
        shops=asked.shops,
    )
    verdicts = []
    for verdict in run_many(asked.seeds, settings, asked.processes):
        verdicts.append(verdict)
        if asked.json:
            print(json.dumps(asdict(verdict)), flush=True)
        else:
            _tell(verdict, events=asked.events)
    whole = summed(verdicts)
    whole["largest process, MiB"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(json.dumps({"sum": whole}) if asked.json else json.dumps(whole, indent=1), flush=True)
    sys.exit(1 if whole["wrong"] else 0)


def _tell(verdict: Verdict, *, events: bool) -> None:
    mark = "WRONG" if verdict.wrong else "ok"
    made, doubts = sum(verdict.effects.values()), verdict.figures.get("doubts", 0)
    rate = verdict.days / verdict.seconds
    print(
        f"seed {verdict.seed}: {mark}, {verdict.days:.1f} days in {verdict.seconds:.1f} s "
        f"({rate:.2f} a second), {made} paid effects, {doubts} in doubt, trace {verdict.trace}",
        flush=True,
    )
    if events:
        print(json.dumps({k: v for k, v in verdict.counts.items() if k.startswith("event ")}, indent=1))
    for wrong in verdict.wrong:
        print(f"  {wrong}")
    for line in verdict.last:
        print(f"    {line}")


if __name__ == "__main__":
    main()
