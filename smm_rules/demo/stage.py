"""The demonstration's stage: a simulator, and a configuration and orders that fit it, in one directory."""

from __future__ import annotations

import csv
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from smm_rules.simulator import RunningSimulator

PANEL = "demo"
_KEY_FILE = "panel.key"
_CONFIGURATION = """\
panels:
  - name: {panel}
    url: {url}
    key: {{file: {key_file}}}
    requests_per_minute: 6000
    poll: {{orders: 1m, refills: 1m, balance: 1m, catalogue: 1h}}
channels:
  ops: {{log: {{}}}}
operator: {{channel: ops}}
rules: rules.yaml
ledger: ledger.db
guards: {{spend: 20.00/day}}
logging: {{format: console}}
"""


def write_stage(directory: Path, panel: RunningSimulator) -> Path:
    """Write key, rules and configuration for the running simulator; the configuration's path."""
    key_file = directory / _KEY_FILE
    key_file.touch(mode=0o600)
    key_file.write_text(panel.key)
    rules = files("smm_rules.demo").joinpath("rules.yaml").read_text(encoding="utf-8")
    (directory / "rules.yaml").write_text(rules, encoding="utf-8")
    configuration = directory / "smm-rules.yaml"
    configuration.write_text(_CONFIGURATION.format(panel=PANEL, url=panel.url, key_file=_KEY_FILE))
    return configuration


def write_orders(directory: Path, panel: RunningSimulator, placed_at: datetime) -> Path:
    """Write the simulator's orders as the CSV an operator would import; its path."""
    path = directory / "orders.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["order", "service", "link", "quantity", "placed_at"])
        for number in panel.orders:
            order = panel.order(number)
            writer.writerow([number, order.service, order.link, order.quantity, placed_at.isoformat()])
    return path
