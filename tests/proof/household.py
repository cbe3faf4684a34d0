"""What a simulated daemon is given: its configuration, its rules in several editions, a panel with prices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PANEL = "north"
KEY = "proof-key-6f0c9e2a71"

CONFIGURATION = """\
panels:
  - name: {panel}
    url: http://127.0.0.1:9/api/v2
    key: {{env: PANEL_KEY}}
    requests_per_minute: 600
    timeout: 20s
    poll: {{orders: {orders}, refills: {refills}, balance: {balance}, catalogue: 2h}}
    guards: {{spend: {spend}/day}}
channels: {{ops: {{log: {{}}}}}}
operator: {{channel: ops}}
rules: rules.yaml
ledger: ledger.db
stop_timeout: 40s
settle_after: 6h
observation_gap: 150m
retention: {retention}
audit_retention: {retention}
reload: {{watch: false}}
"""

RULES = """\
rules:
  - name: refill-partial
    watch: order
    when: status == "Partial" and remains > 0
    for: {hold}
    first_seen: act
    do:
      - refill:
      - notify: {{channel: ops, message: "refill {{{{ result }}}} of {{{{ order.id }}}}"}}
    otherwise:
      - reorder: {{quantity: "{{{{ order.remains }}}}", max_rate_increase: 10%}}
      - notify: {{channel: ops, message: "rest of {{{{ order.id }}}} ordered as {{{{ result }}}}"}}
    limit: {{per_order: {per_order}, every: 24h, per_sweep: {per_sweep}}}
  - name: reorder-canceled
    watch: order
    when: status == "Canceled"
    first_seen: act
    do:
      - reorder: {{max_rate_increase: 10%}}
      - notify: {{channel: ops, message: "{{{{ order.id }}}} reordered as {{{{ result }}}}"}}
    limit: {{per_order: 1, per_chain: 2, per_sweep: {per_sweep}}}
  - name: cancel-stuck
    watch: order
    when: status == "In progress" and age > {stuck}
    first_seen: act
    do:
      - cancel:
      - notify: {{channel: ops, message: "cancel of {{{{ order.id }}}} asked"}}
    limit: {{per_order: 1, per_sweep: {per_sweep}}}
  - name: refill-refused
    watch: refill
    when: status == "Rejected"
    first_seen: act
    do: [{{notify: {{channel: ops, message: "refill {{{{ refill.id }}}} was rejected"}}}}]
  - name: low-balance
    watch: balance
    when: amount < 60
    until: amount > 80
    remind: 12h
    do: [{{notify: {{channel: ops, message: "{{{{ amount }}}} left"}}}}]
    done: [{{notify: {{channel: ops, message: "topped up"}}}}]
"""

#: A file with a fault: a reload of it must change nothing.
BROKEN = RULES.replace("status ==", "statsu ==", 1)

#: What must have been told of an order before a rule may act on it: its status, and if something remains.
EVER_HELD: dict[str, Callable[[str, int], bool]] = {
    "refill-partial": lambda status, remains: status == "Partial" and remains > 0,
    "reorder-canceled": lambda status, remains: status in ("Canceled", "Cancelled"),
    "cancel-stuck": lambda status, remains: status == "In progress",
}


@dataclass(frozen=True)
class Edition:
    """One edition of the rules. The judge knows the loosest limits that were ever in force."""

    hold: str = "10m"
    per_order: int = 3
    per_sweep: int = 20
    stuck: str = "6h"

    def text(self) -> str:
        return RULES.format(
            hold=self.hold, per_order=self.per_order, per_sweep=self.per_sweep, stuck=self.stuck
        )


def configuration(orders: str, refills: str, balance: str, retention: str, spend: str) -> str:
    return CONFIGURATION.format(
        panel=PANEL, orders=orders, refills=refills, balance=balance, retention=retention, spend=spend
    )
