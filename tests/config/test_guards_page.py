"""docs/guards.md names every reason a guard has, and its examples load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smm_rules.config import load_configuration
from smm_rules.engine.guards import GUARD_REASONS, Breaker
from smm_rules.engine.guards_set import guards_of
from smm_rules.rules import load_rules

PAGE = (Path(__file__).parents[2] / "docs" / "guards.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_every_reason_is_told_of() -> None:
    table = PAGE.partition("## The reasons")[2].partition("## ")[0]
    told = {
        name
        for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    rule_actions = {f"actions_per_{unit}" for unit in ("hour", "day", "month")}  # rules have no such guard
    assert told == GUARD_REASONS - rule_actions


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_example_loads(tmp_path: Path, block: str) -> None:
    path = tmp_path / "example.yaml"
    if block.startswith("rules:"):
        path.write_text(block, encoding="utf-8")
        assert len(load_rules([path]).rules.rules) == 1
        return
    panels = "" if "panels:" in block else "panels: [{name: main, url: 'https://x.example', key: {env: K}}]\n"
    path.write_text(f"{block}{panels}rules: rules\nledger: ledger.db\n", encoding="utf-8")
    assert load_configuration(path, {}).panel("main") is not None


def test_what_it_says_of_the_default_is_so(tmp_path: Path) -> None:
    path = tmp_path / "smm-rules.yaml"
    text = (
        "panels: [{name: main, url: 'https://x.example', key: {env: K}}]\nrules: rules\nledger: ledger.db\n"
    )
    path.write_text(text, encoding="utf-8")
    breaker = guards_of(load_configuration(path, {})).breaker_of("main")
    assert breaker is not None
    assert (breaker.errors, breaker.refused, breaker.of) == (Breaker(breaker.errors).errors, None, 20)
    assert f"{breaker.errors:.0%}".replace("%", " %") + f" errors of {breaker.of}" in PAGE
    path.write_text(f"{text}guards: {{breaker: }}\n", encoding="utf-8")
    assert guards_of(load_configuration(path, {})).breaker_of("main") is None
