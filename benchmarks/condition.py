"""A compiled condition beside the same condition written by hand in Python.

Run: `python benchmarks/condition.py`. Prints the median time of one evaluation of each and their ratio.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from smm_rules.document.problem import Position
from smm_rules.facts import UNKNOWN, EntityKind, Value
from smm_rules.rules.expression import compile_condition

SOURCE = 'status == "Partial" and remains > 0 and service.refill'
ROUNDS = 31
EVALUATIONS = 50_000


def by_hand(facts: Mapping[str, Value], now: datetime) -> bool | None:  # noqa: ARG001
    """What a programmer would write for `SOURCE`."""
    return facts["status"] == "Partial" and facts["remains"] > 0 and facts["service.refill"]  # type: ignore[operator,return-value]  # as untyped as by hand


def median(evaluate: Callable[[Mapping[str, Value], datetime], object], facts: Mapping[str, Value]) -> float:
    """The median time of one evaluation, in nanoseconds, the loop's own time included."""
    now = datetime.now(UTC)
    rounds = range(EVALUATIONS)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        for _ in rounds:
            evaluate(facts, now)
        times.append((time.perf_counter_ns() - start) / EVALUATIONS)
    return statistics.median(times)


def compile_time() -> float:
    """The median time of checking and compiling `SOURCE`, in microseconds."""
    at = Position(Path("rules.yaml"), 1, 1)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        compile_condition(SOURCE, EntityKind.ORDER, at)
        times.append((time.perf_counter_ns() - start) / 1000)
    return statistics.median(times)


def main() -> None:
    """Prints the table."""
    condition = compile_condition(SOURCE, EntityKind.ORDER, Position(Path("rules.yaml"), 1, 1))
    true: dict[str, Value] = {"status": "Partial", "remains": 157, "service.refill": True}
    cases = {"true": true, "false at once": true | {"status": "Completed"}}
    print(SOURCE)
    print(f"{'case':<22}{'by hand':>12}{'compiled':>12}{'ratio':>8}")
    for name, facts in cases.items():
        hand, compiled = median(by_hand, facts), median(condition.holds, facts)
        print(f"{name:<22}{hand:>9.1f} ns{compiled:>9.1f} ns{compiled / hand:>8.2f}")
    unknown = median(condition.holds, true | {"remains": UNKNOWN})
    print(f"{'with an unknown fact':<22}{'':>12}{unknown:>9.1f} ns")
    print(f"{'checked and compiled':<22}{'':>12}{compile_time():>9.1f} µs")


if __name__ == "__main__":
    main()
