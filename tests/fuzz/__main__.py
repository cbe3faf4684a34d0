"""`python -m tests.fuzz --seconds 60`: throw mutated inputs at every reader, and tell how many were tried.

An input that breaks a promise is kept in `tests/fuzz/corpus/<target>/`, where the tests replay it for ever;
the exit code is then 1. `--seed` repeats a run's inputs. `SLOW` tells of an input that took long.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
import traceback
from dataclasses import dataclass, field

from tests.fuzz.corpus import DIRECTORY, kept
from tests.fuzz.mutation import mutated
from tests.fuzz.targets import TARGETS

#: Seconds of the processor that no input of at most 20 KB may take.
LONGEST = 2.0


@dataclass
class Tally:
    """What came of one target."""

    tried: int = 0
    slowest: float = 0.0
    findings: set[str] = field(default_factory=set)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for all targets together")
    parser.add_argument(
        "--seed", type=int, default=None, help="of the random changes; printed when not given"
    )
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; all unless named")
    asked = parser.parse_args()
    unknown = set(asked.targets) - set(TARGETS)
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    names = asked.targets or list(TARGETS)
    seed = random.SystemRandom().randrange(2**32) if asked.seed is None else asked.seed
    print(f"seed {seed}")
    found = 0
    for name in names:
        tally = fuzz(name, asked.seconds / len(names), seed)
        found += len(tally.findings)
        print(
            f"{name:14} {tally.tried:>9,} inputs, slowest {tally.slowest:.2f} s, {len(tally.findings)} found"
        )
    return 1 if found else 0


def fuzz(name: str, seconds: float, seed: int) -> Tally:
    """Try inputs on one target for so long."""
    chance = random.Random(f"{name} {seed}")
    corpus = [data for _, data in kept(name)] or [b""]
    tally = Tally()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        data = mutated(chance, corpus)
        started = time.thread_time()  # other work on the machine slows nothing
        try:
            TARGETS[name](data)
        except Exception as error:  # what the target let through is a finding
            _keep(name, data, error, tally)
        took = time.thread_time() - started
        if took > LONGEST:
            _keep(name, data, TimeoutError(f"SLOW: {took:.1f} s"), tally)
        tally.slowest = max(tally.slowest, took)
        tally.tried += 1
    return tally


def _keep(name: str, data: bytes, error: Exception, tally: Tally) -> None:
    """Write a finding down, one of each kind."""
    frames = traceback.extract_tb(error.__traceback__)
    last = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    kind = f"{type(error).__name__} at {last}"
    if kind in tally.findings:
        return
    tally.findings.add(kind)
    path = DIRECTORY / name / f"found-{hashlib.sha256(data).hexdigest()[:12]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    print(f"{name}: {kind}: {error!s:.200} ({path.name})", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
