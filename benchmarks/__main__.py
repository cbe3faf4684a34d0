"""Every benchmark, one after the other, as one table: `python -m benchmarks`.

Takes about five minutes. Each program runs as a process of its own; run one alone for more of its options.
"""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.measure import JSON_FLAG, Row, machine, table

PROGRAMS = (
    "sweep",
    "conditions",
    "engine",
    "rule_growth",
    "check",
    "start",
    "intake",
    "tracked",
    "reload",
    "daemon",
)


def run(program: str) -> list[Row]:
    command = [sys.executable, "-m", f"benchmarks.{program}", JSON_FLAG]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [Row(**fields) for fields in json.loads(done.stdout)]


def main() -> None:
    unknown = sorted(set(sys.argv[1:]) - set(PROGRAMS))
    if unknown:
        sys.exit(f"usage: python -m benchmarks [{' | '.join(PROGRAMS)}] …")
    print(machine(), flush=True)
    rows = []
    for program in sys.argv[1:] or PROGRAMS:
        print(f"running {program} …", file=sys.stderr, flush=True)
        rows += run(program)
    print(f"\n{table(rows)}")


if __name__ == "__main__":
    main()
