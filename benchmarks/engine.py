"""Evaluations a second: `python -m benchmarks.engine`.

`engine.evaluate` with the twenty rules of rules.yaml, compiled as the daemon compiles them, on complete
snapshots such as a sweep makes; one thread, no I/O.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from benchmarks.measure import Row, arguments_of, median, spread, tell, timed_plainly
from benchmarks.sweep import PANEL, QUANTITY, RULES
from smm_rules.engine.evaluate import evaluate
from smm_rules.engine.memory import BLANK
from smm_rules.engine.order_facts import OrderIntake, observe_order
from smm_rules.engine.snapshots import complete, related
from smm_rules.facts import Entity, EntityKind, Facts, Snapshot, Value
from smm_rules.panel.answers import OrderState
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import Rule

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GAP = timedelta(hours=1)
SERVICE: Facts = {
    "id": "1", "name": "Followers", "type": "Default", "category": "First", "rate": Decimal("0.90"),
    "min": 50, "max": 10_000, "refill": True, "cancel": True, "dripfeed": False, "gone": False,
    "rate_increase": Decimal(0), "previous_rate": Decimal("0.90"), "changed_at": NOW,
}  # fmt: skip
BALANCE: Facts = {"amount": Decimal("100.84"), "currency": "USD", "changed_at": NOW}
STATUSES = ("Pending", "In progress", "In progress", "Partial", "Completed", "Canceled")


def snapshots(count: int, *, service_known: bool) -> list[Snapshot]:
    """Orders in all statuses; without its service an order's rules on it come to unknown."""
    shared = related(EntityKind.BALANCE, BALANCE) | related(
        EntityKind.PANEL, {"name": PANEL, "reachable": True}
    )
    if service_known:
        shared |= related(EntityKind.SERVICE, SERVICE)
    return [_snapshot(number, shared) for number in range(count)]


def _snapshot(number: int, shared: dict[str, Value]) -> Snapshot:
    status, remains = STATUSES[number % len(STATUSES)], number % 900
    answer = OrderState(status, True, remains, 3572, Decimal("0.27819"), "USD")
    intake = OrderIntake(str(number), NOW, NOW - timedelta(days=1), int(QUANTITY), "https://example.com")
    entity = Entity(EntityKind.ORDER, PANEL, str(number))
    facts = complete(EntityKind.ORDER, observe_order({}, answer, intake, NOW).facts, shared)
    return Snapshot(entity, facts, NOW, NOW - timedelta(minutes=5), entity, imported=True)


def evaluate_all(rules: tuple[Rule, ...], orders: list[Snapshot]) -> None:
    for snapshot in orders:
        for rule in rules:
            evaluate(rule, snapshot, BLANK, NOW, GAP)


def rate_row(what: str, rules: tuple[Rule, ...], orders: list[Snapshot], runs: int, command: str) -> Row:
    count = len(rules) * len(orders)
    rates = [count / timed_plainly(lambda: evaluate_all(rules, orders)).cpu for _ in range(runs)]
    rate = median(rates)
    figure = f"{rate:,.0f}/s, {1e6 / rate:.2f} µs each"
    return Row(f"evaluations, {what}", figure, spread(rates, 0), command)


def main() -> None:
    parser = arguments_of(__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    rules = load_rules((RULES,)).rules.rules
    command = f"python -m benchmarks.engine --orders {given.orders} --runs {given.runs}"
    rows = [
        rate_row(what, rules, snapshots(given.orders, service_known=known), given.runs, command)
        for what, known in (("20 rules, all facts known", True), ("20 rules, the service unknown", False))
    ]
    tell(rows, as_json=given.json)


if __name__ == "__main__":
    main()
