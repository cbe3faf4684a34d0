"""Guards as rules write them: `spend`, `approve` and `mode`."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.facts.allowance import Allowance, Per
from smm_rules.rules import load_rules
from smm_rules.rules.model import NO_RULE_GUARDS, ApprovalNeed, Mode, Rule, RuleGuards
from tests.rules.written import problems

RULE = """\
rules:
  - name: again
    watch: order
    when: status == "Canceled"
    do: [reorder]
    limit: {per_order: 3}
"""


def rule(directory: Path, more: str = "") -> Rule:
    path = directory / "rules.yaml"
    path.write_text(RULE + more, encoding="utf-8")
    return load_rules([path]).rules.rules[0]


@pytest.mark.parametrize(
    ("written", "guards"),
    [
        ("", NO_RULE_GUARDS),
        ("    spend: 20.00/day\n", RuleGuards(spend=(Allowance(Decimal("20.00"), Per.DAY),))),
        (
            '    spend: [5/order, "7.5 / chain", 300.00/month]\n',
            RuleGuards(
                spend=(
                    Allowance(Decimal(5), Per.ORDER),
                    Allowance(Decimal("7.5"), Per.CHAIN),
                    Allowance(Decimal("300.00"), Per.MONTH),
                )
            ),
        ),
        ("    approve: always\n", RuleGuards(approval=ApprovalNeed())),
        (
            '    approve: {above: "5.00", expires: 2h}\n',
            RuleGuards(approval=ApprovalNeed(Decimal("5.00"), timedelta(hours=2))),
        ),
        ("    mode: dry_run\n", RuleGuards(mode=Mode.DRY_RUN)),
        ("    mode: shadow\n", RuleGuards(mode=Mode.SHADOW)),
    ],
)
def test_guards_are_read(tmp_path: Path, written: str, guards: RuleGuards) -> None:
    assert rule(tmp_path, written).guards == guards


def test_a_guard_is_part_of_what_a_rule_means(tmp_path: Path) -> None:
    texts = [
        "",
        "    spend: 20/day\n",
        "    spend: 20/month\n",
        "    mode: shadow\n",
        "    approve: always\n",
    ]
    assert len({rule(tmp_path, text).version for text in texts}) == len(texts)
    assert rule(tmp_path, "    mode: live\n").version == rule(tmp_path).version


@pytest.mark.parametrize(
    ("written", "message", "suggestion"),
    [
        ("spend: 20", "`spend` must be an amount per unit like 20.00/day, not the number 20", "20/day"),
        ("spend: 20/week", 'has the unit "week", which is none', "order, chain, hour, day, month"),
        ("spend: [5/day, 6/day]", 'has two amounts per "day"', "Keep the smaller one"),
        ("spend: []", "`spend` must not be empty", "20.00/day"),
        ("spend: -5/day", "must be an amount per unit", "20.00/day"),
        ("approve: 5", "must be `always` or like {above: 5.00, expires: 2h}", "approve: {above: 5}"),
        ("approve: {above: -1}", "must be an amount of money", ""),
        ("approve: {expires: 1s}", "at least 1m", ""),
        ("mode: dry", "must be live, dry_run or shadow", "dry_run"),
        ("budget: 5/day", 'Unknown key "budget"', "spend: 20.00/day"),
    ],
)
def test_a_guard_that_is_none_is_refused(tmp_path: Path, written: str, message: str, suggestion: str) -> None:
    (problem,) = problems(tmp_path, f"{RULE}    {written}\n")
    assert message in problem.message
    assert suggestion in problem.suggestion


@pytest.mark.parametrize("key", ["spend: 5/day", "approve: always"])
def test_a_rule_that_only_tells_has_nothing_to_bound(tmp_path: Path, key: str) -> None:
    text = RULE.replace("[reorder]", '[{log: {message: "seen"}}]') + f"    {key}\n"
    (problem,) = problems(tmp_path, text)
    assert "bounds actions, and this rule asks no panel for anything" in problem.message
