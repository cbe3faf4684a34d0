"""A compiled condition beside the same one by hand and in other engines: `python -m benchmarks.conditions`.

Needs the extra `benchmarks`. Every round times each of them once, so what else the machine does meets all.
Rules are parsed and compiled before the clock runs; facts are a mapping, as they are for us. Where an engine
can take them converted before, that is a row of its own: it would have to be done anew for every order.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Row, arguments_of, median, spread, tell
from smm_rules.document.problem import Position
from smm_rules.facts import UNKNOWN, EntityKind, Value
from smm_rules.rules.expression import compile_condition

SOURCE = 'status == "Partial" and remains > 0 and service.refill'
CEL = 'status == "Partial" && remains > 0 && service.refill'
LOGIC = {
    "and": [{"==": [{"var": "status"}, "Partial"]}, {">": [{"var": "remains"}, 0]}, {"var": "service.refill"}]
}
AT = Position(Path("rules.yaml"), 1, 1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
TRUE: dict[str, Value] = {"status": "Partial", "remains": 157, "service.refill": True}
#: The same facts as others take them.
NESTED = {"status": "Partial", "remains": 157, "service": {"refill": True}}
#: How long one side of one round takes, about.
ROUND_NANOSECONDS = 20_000_000

Work = Callable[[], object]


def by_hand(facts: Mapping[str, Value], now: datetime) -> bool | None:  # noqa: ARG001
    """What a programmer would write for `SOURCE`."""
    return facts["status"] == "Partial" and facts["remains"] > 0 and facts["service.refill"]  # type: ignore[operator,return-value]  # as untyped as by hand


def rule_engine() -> Work:
    import rule_engine

    rule = rule_engine.Rule(SOURCE)
    return lambda: rule.matches(NESTED)


def common_expression_language() -> Work:
    import cel

    program = cel.compile(CEL)
    return lambda: program.execute(NESTED)


def common_expression_language_prepared() -> Work:
    import cel

    program, context = cel.compile(CEL), cel.Context(NESTED)
    return lambda: program.execute(context)


def cel_python() -> Work:
    import celpy

    environment = celpy.Environment()
    program, facts = environment.program(environment.compile(CEL)), celpy.json_to_cel(NESTED)
    return lambda: program.evaluate(facts)


def panzi_json_logic() -> Work:
    from json_logic import jsonLogic

    return lambda: jsonLogic(LOGIC, NESTED)


def datalogic() -> Work:
    from datalogic_py import Engine

    rule = Engine().compile(json.dumps(LOGIC))
    return lambda: rule.evaluate(NESTED)


def datalogic_prepared() -> Work:
    from datalogic_py import DataHandle, Engine

    rule, facts = Engine().compile(json.dumps(LOGIC)), DataHandle(json.dumps(NESTED))
    return lambda: rule.evaluate_data(facts)


def jinja2() -> Work:
    from jinja2 import Environment

    expression = Environment().compile_expression(SOURCE)
    return lambda: expression(NESTED)


PEERS: dict[str, Callable[[], Work]] = {
    "rule-engine": rule_engine,
    "common-expression-language (Rust)": common_expression_language,
    "common-expression-language (Rust), facts converted before": common_expression_language_prepared,
    "cel-python": cel_python,
    "panzi-json-logic": panzi_json_logic,
    "datalogic-py (Rust)": datalogic,
    "datalogic-py (Rust), facts converted before": datalogic_prepared,
    "Jinja2 compile_expression": jinja2,
}


def once(work: Work) -> int:
    """Nanoseconds of this thread's CPU for one evaluation, measured over a few."""
    return timed(work, 5)


def timed(work: Work, count: int) -> int:
    rounds = range(count)
    started = time.thread_time_ns()
    for _ in rounds:
        work()
    return max((time.thread_time_ns() - started) // count, 1)


def measured(sides: Mapping[str, Work], rounds: int) -> dict[str, list[float]]:
    """Nanoseconds of each side in every round, the call and the loop around it taken off."""
    counts = {name: max(ROUND_NANOSECONDS // once(work), 5) for name, work in sides.items()}
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        around = timed(lambda: None, 200_000)
        for name, work in sides.items():
            found[name].append(max(timed(work, counts[name]) - around, 1))
    return found


def rows(rounds: int, command: str) -> list[Row]:
    condition = compile_condition(SOURCE, EntityKind.ORDER, AT)
    holds, other = condition.holds, TRUE | {"status": "Completed"}
    lacking = TRUE | {"remains": UNKNOWN}
    sides: dict[str, Work] = {
        "compiled": lambda: holds(TRUE, NOW),
        "by hand": lambda: by_hand(TRUE, NOW),
        "compiled, false at once": lambda: holds(other, NOW),
        "by hand, false at once": lambda: by_hand(other, NOW),
        "compiled, a fact unknown": lambda: holds(lacking, NOW),
    }
    peers = {name: make() for name, make in PEERS.items()}
    for name, work in peers.items():
        if work() != True:  # noqa: E712 - some have a true of their own
            raise RuntimeError(f"{name} comes to {work()!r}")
    found = measured(sides | peers, rounds)
    own = found["compiled"]
    made = [
        _against("condition of 3 clauses, true", own, "by hand", found["by hand"], command),
        _against(
            "condition of 3 clauses, false at once",
            found["compiled, false at once"],
            "by hand",
            found["by hand, false at once"],
            command,
        ),
        _against(
            "condition of 3 clauses, a fact unknown", found["compiled, a fact unknown"], "true", own, command
        ),
    ]
    made += [_peer(name, found[name], own, command) for name in peers]
    return [*made, _compile_row(rounds, command)]


def _against(what: str, own: Sequence[float], other: str, beside: Sequence[float], command: str) -> Row:
    ratios = [mine / theirs for mine, theirs in zip(own, beside, strict=True)]
    figure = f"{median(ratios):.2f} × {other}, {median(own):.0f} ns"
    return Row(what, figure, spread(ratios), command)


def _peer(name: str, theirs: Sequence[float], own: Sequence[float], command: str) -> Row:
    ratios = [other / mine for mine, other in zip(own, theirs, strict=True)]
    figure = f"{median(ratios):,.1f} × ours, {median(theirs) / 1000:,.2f} µs"
    return Row(f"the same condition by {name}", figure, spread(ratios, 1), command)


def _compile_row(rounds: int, command: str) -> Row:
    times = [
        timed(lambda: compile_condition(SOURCE, EntityKind.ORDER, AT).holds, 20) / 1000 for _ in range(rounds)
    ]
    figure = f"{median(times):,.0f} µs"
    return Row("the condition checked and compiled", figure, spread(times, 0), command)


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    given = parser.parse_args()
    tell(rows(given.rounds, f"python -m benchmarks.conditions --rounds {given.rounds}"), as_json=given.json)


if __name__ == "__main__":
    main()
