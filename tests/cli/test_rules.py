"""`smm-rules rules`: list, show and new."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smm_rules.cookbook.recipes import recipes
from smm_rules.rules import load_rules
from tests.cli.command import LOW_BALANCE, configure, said

Capture = pytest.CaptureFixture[str]
REFILL = """\
rules:
  - name: refill-partial
    description: Top it up
    watch: order
    when: status == "Partial" and remains > 0
    for: 10m
    panels: [main, second]
    do:
      - refill
      - notify: {channel: ops, message: "{{ order.id }}"}
    otherwise:
      - reorder: {quantity: "{{ remains }}", max_rate_increase: 10%}
    limit: {per_order: 1, every: 24h}
"""


def test_the_rules_of_the_configuration_are_listed(here: Path, capsys: Capture) -> None:
    configure(here, rules=LOW_BALANCE + REFILL.removeprefix("rules:\n"))
    told = said(capsys, "rules", "list")
    assert [line.split() for line in told.out.splitlines()] == [
        ["NAME", "WATCHES", "ACTS", "LIMIT", "PANELS", "FILE"],
        ["low", "balance", "-", "-", "all", "rules/rules.yaml:2"],
        [
            *("refill-partial", "order", "refill,", "reorder", "1/order,", "every", "1d,", "3/chain,"),
            *("25/sweep", "main,", "second", "rules/rules.yaml:6"),
        ],
    ]
    assert told.code == 0


def test_a_list_for_scripts(here: Path, capsys: Capture) -> None:
    Path("r.yaml").write_text(REFILL, encoding="utf-8")
    (rule,) = json.loads(said(capsys, "rules", "list", "r.yaml", "--json").out)
    assert rule == {
        "name": "refill-partial",
        "description": "Top it up",
        "watch": "order",
        "acts": ["refill", "reorder"],
        "limit": {"per_order": 1, "every": "1d", "per_chain": 3, "per_sweep": 25},
        "panels": ["main", "second"],
        "version": load_rules([Path("r.yaml")]).rules.rules[0].version,
        "file": "r.yaml",
        "line": 2,
    }


def test_a_rule_is_told_in_words(here: Path, capsys: Capture) -> None:
    Path("r.yaml").write_text(REFILL, encoding="utf-8")
    assert said(capsys, "rules", "show", "refill-partial", "r.yaml").out == (
        "refill-partial (r.yaml:2)\n"
        "Top it up\n\n"
        'When an order on main or second has `status == "Partial"` and `remains > 0` for 10m '
        "without a break, then:\n"
        "  1. ask the panel to refill it\n"
        '  2. tell ops: "{{ order.id }}"\n'
        "When the panel refuses:\n"
        "  1. order it again with quantity {{ remains }}, unless it became more than 10% dearer\n"
        "At most once for one order and 3 times over an order and its reorders.\n"
        "At least 1d lie between two times for one order.\n"
        "If more than 25 would fire in one look at a panel, none is acted on.\n"
        "What is so already when an order is first seen is left alone.\n"
    )


GUARDED = (
    ("spend: 20.00/day", "It may spend at most 20.00 a day, in each panel's own currency."),
    (
        "spend: [1.50/order, 300/month]",
        "It may spend at most 1.50 an order and 300 a month, in each panel's own currency.",
    ),
    ("approve: always", "Each action waits for your approval."),
    (
        "approve: {above: 5.00, expires: 2h}",
        "An action that costs more than 5.00 waits for your approval; after 2h it is denied.",
    ),
    ("mode: dry_run", "It is in a dry run: its actions are held."),
    ("mode: shadow", "It only writes down what it would have done."),
)


@pytest.mark.parametrize(("key", "sentence"), GUARDED)
def test_what_guards_a_rule_is_told_in_words(here: Path, capsys: Capture, key: str, sentence: str) -> None:
    Path("r.yaml").write_text(f"{REFILL}    {key}\n", encoding="utf-8")
    told = said(capsys, "rules", "show", "refill-partial", "r.yaml").out.splitlines()
    Path("r.yaml").write_text(REFILL, encoding="utf-8")
    without = said(capsys, "rules", "show", "refill-partial", "r.yaml").out.splitlines()
    assert [line for line in told if line not in without] == [sentence]


def test_a_reorder_without_a_bound_of_its_own_says_whose_it_has(here: Path, capsys: Capture) -> None:
    Path("r.yaml").write_text(REFILL.replace(", max_rate_increase: 10%", ""), encoding="utf-8")
    told = said(capsys, "rules", "show", "refill-partial", "r.yaml").out
    assert (
        "  1. order it again with quantity {{ remains }}, unless guards.max_rate_increase forbids it\n"
        in told
    )


def test_a_misspelt_rule_has_a_suggestion(here: Path, capsys: Capture) -> None:
    Path("r.yaml").write_text(REFILL, encoding="utf-8")
    told = said(capsys, "rules", "show", "refil-partial", "r.yaml")
    assert told.code == 1
    assert 'Did you mean "refill-partial"?' in told.err


def test_a_new_rule_is_printed_or_written_and_checks(here: Path, capsys: Capture) -> None:
    printed = said(capsys, "rules", "new", "low-balance", "--name", "mine").out
    assert "  - name: mine\n" in printed
    told = said(capsys, "rules", "new", "low-balance", "--name", "mine", "--output", "rules/mine.yaml")
    assert told.code == 0
    assert Path("rules/mine.yaml").read_text("utf-8") == printed
    assert said(capsys, "check", "rules/mine.yaml").code == 0


def test_a_new_rule_names_the_schema_that_init_wrote(here: Path, capsys: Capture) -> None:
    said(capsys, "init", ".")
    said(capsys, "rules", "new", "slow-start", "-o", "rules/more/slow.yaml")
    first = Path("rules/more/slow.yaml").read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../.smm-rules/rules.schema.json"


def test_a_file_that_is_there_is_not_written_over(here: Path, capsys: Capture) -> None:
    Path("mine.yaml").write_text("mine", encoding="utf-8")
    assert said(capsys, "rules", "new", "slow-start", "-o", "mine.yaml").code == 1
    assert Path("mine.yaml").read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Name a template"),
        (["slow-stat"], 'Did you mean "slow-start"?'),
        (["slow-start", "--name", "a b"], "letters, digits and dashes"),
    ],
)
def test_wrong_use_is_told(here: Path, capsys: Capture, arguments: list[str], words: str) -> None:
    told = said(capsys, "rules", "new", *arguments)
    assert told.code == 2
    assert words in told.err


def test_templates_are_listed(here: Path, capsys: Capture) -> None:
    lines = said(capsys, "rules", "new", "--list").out.splitlines()
    assert len(lines) == 1 + len(recipes())
    assert lines[0].split() == ["TEMPLATE", "FOR"]
