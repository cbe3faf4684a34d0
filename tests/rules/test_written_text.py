"""A rule's own lines, as the record of decisions keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from smm_rules.rules.loader import load_rules

FIRST = """\
  - name: first
    watch: order
    when: status == "Partial"  # as the panel says
    # told to nobody else
    do: [{log: {message: "{{ order.id }}"}}]
"""
SECOND = """\
  - {name: second, watch: order, when: remains > 0,
     do: [{log: {message: "left"}}]}
"""


@pytest.mark.parametrize("tail", ["", "\n\n", "tests: []\n", "\n# the end\n"])
def test_each_rule_keeps_its_own_lines(tmp_path: Path, tail: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(f"# a file\nrules:\n{FIRST}\n{SECOND}{tail}", encoding="utf-8")
    texts = load_rules([path]).texts
    assert texts["first"] == FIRST
    assert texts["second"].startswith(SECOND)
    assert "tests:" not in texts["second"]


def test_rules_on_one_line_keep_that_line(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    do = "do: [{log: {message: x}}]"
    first = f"{{name: a, watch: order, when: remains > 0, {do}}}"
    second = f"{{name: b, watch: order, when: remains > 1, {do}}}"
    line = f"rules: [{first}, {second}]\n"
    path.write_text(line, encoding="utf-8")
    assert load_rules([path]).texts == {"a": line, "b": line}


def test_a_file_that_puts_its_tests_first_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(f"tests: []\nrules:\n{FIRST}", encoding="utf-8")
    assert load_rules([path]).texts == {"first": FIRST}
