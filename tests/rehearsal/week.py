"""A week of a panel, recorded in a ledger file by the daemon's own path."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import NewOrder, OrderSource
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.panel.answers import OrderState
from smm_rules.rehearsal.scripted_panel import Script
from smm_rules.rehearsal.testing.playing import START, new_id
from smm_rules.rules.loader import load_rules
from tests.rehearsal.daemon import PANEL, Daemon

HOUR = timedelta(hours=1)
END = START + timedelta(days=7)
INTERVAL = timedelta(minutes=30)

CONFIGURATION = """\
panels:
  - name: main
    url: https://main.example/api/v2
    key: {env: MAIN_KEY}
    poll: {orders: 30m, refills: 30m, balance: 30m, catalogue: 30m}
channels:
  ops: {log: {}}
rules: in-force.yaml
ledger: ledger.db
observation_gap: 2h
"""
IN_FORCE = """\
rules:
  - name: refill-partial
    watch: order
    when: status == "Partial" and remains > 0
    for: 1h
    do:
      - refill
      - notify: {channel: ops, message: "{{ order.id }}"}
    limit: {per_order: 3, every: 24h}
  - name: reorder-canceled
    watch: order
    when: status == "Canceled"
    do: [reorder]
    limit: {per_order: 1, per_chain: 2, per_sweep: 10}
"""
#: The first rule holds longer; the second is gone and another has come.
OTHERS = """\
rules:
  - name: refill-partial
    watch: order
    when: status == "Partial" and remains > 500
    for: 6h
    do:
      - refill
      - notify: {channel: ops, message: "{{ order.id }}"}
    limit: {per_order: 3, every: 24h}
  - name: low-balance
    watch: balance
    when: amount < 60
    do: [{notify: {channel: ops, message: "{{ amount }} left"}}]
"""


def state(status: str, remains: int) -> OrderState:
    return OrderState(status, True, remains, 10, Decimal("1.00"), "USD")


def changes(seed: int, orders: int) -> dict[datetime, dict[str, object]]:
    """Orders that end one way or another in the course of the week, and a balance that falls."""
    script = random.Random(seed)
    first: dict[str, object] = {str(name): state("In progress", 1000) for name in range(1, orders + 1)}
    found: dict[datetime, dict[str, object]] = {START: first}
    for name in range(1, orders + 1):
        at = START + script.randrange(1, 300) * INTERVAL
        ending = script.choice(["Completed", "Partial", "Partial", "Canceled"])
        remains = script.choice([200, 800]) if ending == "Partial" else 0 if ending == "Completed" else 1000
        found.setdefault(at, {})[str(name)] = state(ending, remains)
    found.setdefault(START + timedelta(days=4), {})["amount"] = Decimal(40)
    return dict(sorted(found.items()))


async def record_week(directory: Path, orders: int = 12, seed: int = 7) -> Path:
    """Write configuration, rules and a ledger with a week in it; the configuration's path."""
    configuration = directory / "smm-rules.yaml"
    configuration.write_text(CONFIGURATION, encoding="utf-8")
    (directory / "in-force.yaml").write_text(IN_FORCE, encoding="utf-8")
    (directory / "others.yaml").write_text(OTHERS, encoding="utf-8")
    rules = load_rules([directory / "in-force.yaml"]).rules
    async with await SqliteLedger.open(directory / "ledger.db") as ledger:
        daemon = Daemon(ledger, rules, Script(new_id), START, INTERVAL)
        placed = {"link": "https://example.com/post", "quantity": "1000"}
        tracked = [
            NewOrder(
                Entity(EntityKind.ORDER, PANEL, str(name)), "1", placed, START - HOUR, "", OrderSource.PLACED
            )
            for name in range(1, orders + 1)
        ]
        await daemon.play(tracked, changes(seed, orders), END)
    return configuration
