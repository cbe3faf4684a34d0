"""docs/guards.md names every reason a guard has, and its examples load."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.config import load_configuration
from smm_rules.engine.guards import GUARD_REASONS, Breaker
from smm_rules.engine.guards_set import guards_of
from smm_rules.rules import load_rules

PAGE = (Path(__file__).parents[2] / "docs" / "guards.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
PANELS = "panels: [{name: main, url: 'https://x.example', key: {env: K}}]\n"
REST = "rules: rules\nledger: ledger.db\n"


def test_every_reason_is_told_of() -> None:
    table = PAGE.partition("## The reasons")[2].partition("## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == GUARD_REASONS


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_example_loads(tmp_path: Path, block: str) -> None:
    path = tmp_path / "example.yaml"
    if block.startswith("rules:"):
        path.write_text(block, encoding="utf-8")
        assert len(load_rules([path]).rules.rules) == 1
        return
    path.write_text(f"{block}{'' if 'panels:' in block else PANELS}{REST}", encoding="utf-8")
    assert load_configuration(path, {}).panel("main") is not None


def test_what_it_says_of_the_default_is_so(tmp_path: Path) -> None:
    path = tmp_path / "smm-rules.yaml"
    path.write_text(PANELS + REST, encoding="utf-8")
    assert guards_of(load_configuration(path, {})).breaker_of("main") == Breaker(errors=Decimal("0.5"))
    assert "Without a `breaker` in the configuration it is 50 % errors of 20" in PAGE
    path.write_text(f"{PANELS}{REST}guards: {{breaker: }}\n", encoding="utf-8")
    assert guards_of(load_configuration(path, {})).breaker_of("main") is None
