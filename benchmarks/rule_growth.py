"""What an order costs with more and more rules: `python -m benchmarks.rule_growth`.

Deciding alone, no panel and no ledger, with the rules found by the index beside all of them tried one by one.
Rules of two kinds: each for one of a hundred services; and the same with one rule in twenty that asks for no
plain value, so that it has to be tried.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

from benchmarks.measure import Row, arguments_of, median, spread, tell, timed_plainly
from smm_rules.document.problem import Position
from smm_rules.engine.snapshots import complete
from smm_rules.facts import Entity, EntityKind, Facts, Snapshot, Value
from smm_rules.polling.decisions import Belts, Look, decide
from smm_rules.rules.expression import compile_condition
from smm_rules.rules.index import WatchedRules
from smm_rules.rules.model import Rule, Step, StepKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = Position(Path("rules.yaml"), 1, 1)
BELTS = Belts(live=True, gap=timedelta(hours=1))
SIZES = (1, 10, 100, 1_000, 10_000)
SERVICES = 100
LOG = (Step(StepKind.LOG, {"message": "seen"}),)
#: Rule evaluations of one run, about; so each size takes as long.
EVALUATIONS = 400_000


@dataclass(frozen=True)
class OneByOne:
    """Stands in for the index: every rule is tried."""

    rules: Sequence[Rule]

    def candidates(self, facts: Mapping[str, Value], remembered: Collection[str]) -> Sequence[Rule]:  # noqa: ARG002
        return self.rules


def rules(count: int, *, general: bool) -> WatchedRules:
    """`count` rules for services in turn; with `general` one in twenty is for any."""
    return WatchedRules(_rule(number, general=general and number % 20 == 19) for number in range(count))


def _rule(number: int, *, general: bool) -> Rule:
    about = "quantity > 1" if general else f'service.id == "{number % SERVICES}"'
    source = f'{about} and status == "Partial" and remains > {number + 1000} and service.refill'
    return Rule(
        f"rule-{number}", EntityKind.ORDER, compile_condition(source, EntityKind.ORDER, AT), LOG, "v1"
    )


def looks(count: int) -> list[Look]:
    """Partial orders of all services, for none of which a rule holds to the end."""
    return [_look(number) for number in range(count)]


def _look(number: int) -> Look:
    entity = Entity(EntityKind.ORDER, "panel", str(number))
    facts: Facts = {"id": str(number), "status": "Partial", "remains": 157, "quantity": 1000}
    service: dict[str, Value] = {"service.id": str(number % SERVICES), "service.refill": True}
    snapshot = Snapshot(entity, complete(EntityKind.ORDER, facts, service), NOW, NOW, entity)
    return Look(snapshot, facts, False, timedelta(minutes=5))


def cost(several: Sequence[Look], among: WatchedRules) -> float:
    """Microseconds of CPU for each order."""
    taken = timed_plainly(lambda: decide(several, among, {}, NOW, BELTS))
    return taken.cpu / len(several) * 1e6


def row(count: int, runs: int, command: str, *, general: bool) -> Row:
    among, several = rules(count, general=general), looks(max(min(EVALUATIONS // count, 5_000), 100))
    cost(several[:1], among)  # conditions are generated and the index is made when first asked for
    indexed, plain = [], []
    for _ in range(runs):
        indexed.append(cost(several, among))
        with mock.patch("smm_rules.polling.decisions.index_of", OneByOne):
            plain.append(cost(several, among))
    ratios = [one / other for one, other in zip(indexed, plain, strict=True)]
    figure = f"{median(ratios):.2f} × one by one, {median(indexed):,.1f} µs (one by one {median(plain):,.1f})"
    kind = ", one in twenty for any service" if general else ""
    noun = "rule" if count == 1 else "rules"
    return Row(f"deciding an order, {count:,} {noun}{kind}", figure, spread(ratios), command)


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    command = f"python -m benchmarks.rule_growth --runs {given.runs}"
    made = [row(count, given.runs, command, general=False) for count in SIZES]
    made += [row(count, given.runs, command, general=True) for count in SIZES[2:]]
    tell(made, as_json=given.json)


if __name__ == "__main__":
    main()
