"""Running the command in-process and reading what it said; a set-up to run it on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from smm_rules.cli.app import run

KEY = "canary-key-7d1f"

CONFIGURATION = """\
panels:
  - {{name: north, url: "{url}", key: {{env: NORTH_KEY}}}}
channels:
  ops: {{log: {{}}}}
rules: rules
ledger: ledger.db
"""
LOW_BALANCE = """\
rules:
  - name: low
    watch: balance
    when: amount < 20
    do: [{notify: {channel: ops, message: "{{ amount }} left"}}]
"""
BROKEN = """\
rules:
  - name: refill-partial
    watch: order
    when: status == "Partail" and remians > 0
    do: [refill]
    limit: {per_order: 3, every: 24h}
"""


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended: its exit code, and what it wrote where."""

    code: int
    out: str
    err: str


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    """Run one command line."""
    capsys.readouterr()
    code = run(list(arguments))
    captured = capsys.readouterr()
    return Said(code, captured.out, captured.err)


def configure(directory: Path, url: str = "https://north.example/api/v2", rules: str = LOW_BALANCE) -> Path:
    """A configuration with one panel and one file of rules; its path."""
    path = directory / "smm-rules.yaml"
    path.write_text(CONFIGURATION.format(url=url), encoding="utf-8")
    (directory / "rules").mkdir(exist_ok=True)
    (directory / "rules" / "rules.yaml").write_text(rules, encoding="utf-8")
    return path
