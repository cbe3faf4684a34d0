"""What a reload changes, by name and meaning."""

from __future__ import annotations

from pathlib import Path

import pytest

from smm_rules.daemon.rules_in_force import RulesInForce, compare, no_longer_asked, questions
from smm_rules.document.problem import DocumentError
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import RuleSet
from smm_rules.rules.scope import Scope

SCOPE = Scope(frozenset({"north"}), {"ops": "log"})
RULE = """
  - name: {name}
    watch: {watch}
    when: {when}
    for: {hold}
    do: [{{log: {{message: "{text}"}}}}]
"""


def rule(
    name: str, when: str = "remains > 5", watch: str = "order", hold: str = "5m", text: str = "said"
) -> str:
    return RULE.format(name=name, when=when, watch=watch, hold=hold, text=text)


def rules(directory: Path, *written: str) -> RuleSet:
    path = directory / "rules.yaml"
    path.write_text("rules:" + "".join(written), encoding="utf-8")
    return load_rules([path], SCOPE).rules


def test_each_rule_is_in_one_part_of_the_changes(tmp_path: Path) -> None:
    before = rules(
        tmp_path,
        rule("kept"),
        rule("spaced"),
        rule("shorter"),
        rule("reworded"),
        rule("asks-anew"),
        rule("moved", when="unchanged > 1h"),
        rule("gone"),
    )
    after = rules(
        tmp_path,
        rule("new"),
        rule("moved", when="unchanged > 1h", watch="refill"),
        rule("asks-anew", when="remains > 6"),
        rule("reworded", text="other words"),
        rule("shorter", hold="1m"),
        rule("spaced", when="remains  >  5"),
        rule("kept"),
    )
    changes = compare(before, after)
    assert changes.added == ("new",)
    assert changes.removed == ("gone",)
    assert changes.changed == ("reworded", "shorter")
    assert changes.restarted == ("moved", "asks-anew")
    assert set(changes.kept) == {"kept", "spaced"}


def test_holds_are_void_when_the_rule_is_gone_or_asks_anew(tmp_path: Path) -> None:
    before = questions(rules(tmp_path, rule("kept"), rule("shorter"), rule("asks-anew"), rule("gone")))
    now = questions(
        rules(tmp_path, rule("kept"), rule("shorter", hold="1m"), rule("asks-anew", when="remains > 6"))
    )
    assert no_longer_asked(before, now) == ("asks-anew", "gone")
    assert no_longer_asked({}, now) == ()


def test_reading_changes_nothing_until_it_is_adopted(tmp_path: Path) -> None:
    rules(tmp_path, rule("one"))
    path = tmp_path / "rules.yaml"
    in_force = RulesInForce([path], SCOPE)
    rules(tmp_path, rule("two"))
    fresh = in_force.read()
    assert [one.name for one in in_force.current().rules] == ["one"]
    in_force.adopt(fresh)
    assert [one.name for one in in_force.current().rules] == ["two"]
    path.write_text("rules: nonsense", encoding="utf-8")
    with pytest.raises(DocumentError):
        in_force.read()
    assert [one.name for one in in_force.current().rules] == ["two"]
