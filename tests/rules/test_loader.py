"""Loading rules: what a file means, defaults, versions, several files, the examples."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.document import DocumentError, Severity
from smm_rules.facts import EntityKind
from smm_rules.rules import FirstSeen, LoadedRules, Rule, Scope, Step, StepKind, load_rules
from smm_rules.rules.model import NO_LIMITS, Limits
from tests.rules.written import BALANCE, ORDER, SCOPE, load, only_rule

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[2] / "rules"

WHOLE = """\
rules:
  - name: whole
    description: All keys at once
    watch: order
    when:
      - status == "Partial"
      - remains > 0
    for: 1h30m
    until: remains == 0
    remind: 6h
    first_seen: act
    panels: [main]
    do:
      - refill:
      - notify: {channel: ops, title: Partial, message: "{{ order.id }} {{ result }}"}
      - webhook: {channel: hook, data: {order: "{{ order.id }}", nested: {list: [1, 0.5, true, null]}}}
    otherwise:
      - reorder:
          panel: second
          service: 12
          quantity: "{{ order.remains }}"
          link: https://example.com
          parameters: {runs: 2, comments: [one, "{{ refusal }}"]}
          max_rate_increase: 12.5%
      - cancel
    done:
      - log: {message: over, level: warning}
    limit: {per_order: 2, every: 24h, per_chain: 4, per_sweep: 10}
"""


def test_every_key_means_something(tmp_path: Path) -> None:
    rule = only_rule(tmp_path, WHOLE)

    assert (rule.name, rule.description, rule.watch) == ("whole", "All keys at once", EntityKind.ORDER)
    assert rule.hold == timedelta(minutes=90)
    assert rule.until is not None
    assert rule.remind == timedelta(hours=6)
    assert rule.first_seen is FirstSeen.ACT
    assert rule.panels == frozenset({"main"})
    assert rule.limit == Limits(2, timedelta(days=1), 4, 10)
    assert str(rule.position) == f"{tmp_path / 'rules.yaml'}:2:11"


def test_steps_are_plain(tmp_path: Path) -> None:
    rule = only_rule(tmp_path, WHOLE)

    assert rule.do == (
        Step(StepKind.REFILL),
        Step(
            StepKind.NOTIFY,
            {"channel": "ops", "message": "{{ order.id }} {{ result }}", "title": "Partial"},
        ),
        Step(
            StepKind.WEBHOOK,
            {
                "channel": "hook",
                "data": {"order": "{{ order.id }}", "nested": {"list": [1, "0.5", True, None]}},
            },
        ),
    )
    assert rule.otherwise == (
        Step(
            StepKind.REORDER,
            {
                "panel": "second",
                "service": "12",
                "quantity": "{{ order.remains }}",
                "link": "https://example.com",
                "parameters": {"runs": 2, "comments": ["one", "{{ refusal }}"]},
                "max_rate_increase": "0.125",
            },
        ),
        Step(StepKind.CANCEL),
    )
    assert rule.done == (Step(StepKind.LOG, {"message": "over", "level": "warning"}),)


def test_a_list_of_conditions_means_all_of_them(tmp_path: Path) -> None:
    rule = only_rule(tmp_path, WHOLE)

    assert rule.when.holds({"status": "Partial", "remains": 5}, NOW) is True
    assert rule.when.holds({"status": "Partial", "remains": 0}, NOW) is False
    assert rule.when.holds({"status": "Completed", "remains": 5}, NOW) is False


def test_an_acting_rule_gets_safe_defaults(tmp_path: Path) -> None:
    rule = only_rule(tmp_path, ORDER.replace("{per_order: 1}", "{per_sweep: 7}"))

    assert rule.limit == Limits(per_order=3, every=timedelta(hours=1), per_chain=3, per_sweep=7)
    assert rule.first_seen is FirstSeen.IGNORE
    assert (rule.hold, rule.until, rule.remind, rule.panels) == (timedelta(), None, None, None)


def test_an_acting_rule_may_switch_the_pause_off(tmp_path: Path) -> None:
    rule = only_rule(tmp_path, ORDER.replace("{per_order: 1}", "{every: 0s}"))

    assert rule.limit.every == timedelta()


def test_a_rule_on_refills_has_no_chain(tmp_path: Path) -> None:
    text = ORDER.replace("watch: order", "watch: refill").replace("Partial", "Rejected")

    assert only_rule(tmp_path, text).limit.per_chain is None


def test_a_telling_rule_needs_no_limit(tmp_path: Path) -> None:
    rule = only_rule(tmp_path, BALANCE)

    assert (rule.limit, rule.first_seen) == (NO_LIMITS, FirstSeen.ACT)


def test_without_a_scope_names_are_not_checked(tmp_path: Path) -> None:
    text = BALANCE.replace("channel: ops", "channel: anything")

    assert len(load(tmp_path, text, scope=None).rules.rules) == 1


def test_a_templated_panel_is_not_looked_up(tmp_path: Path) -> None:
    rule = only_rule(tmp_path, ORDER.replace("- refill", '- reorder: {panel: "{{ panel.name }}"}'))

    assert rule.do[0].parameters["panel"] == "{{ panel.name }}"


def test_a_filter_that_can_not_take_the_fact_is_found_at_load(tmp_path: Path) -> None:
    """What the checker passes can't fail for its types when the message is due."""
    step = '- notify: {channel: ops, message: "{{ status | money }}"}'
    text = ORDER.replace("- refill", step)
    column = len('      - notify: {channel: ops, message: "{{ ') + 1

    with pytest.raises(DocumentError) as caught:
        load(tmp_path, text)

    (problem,) = caught.value.problems
    assert "`money` takes a number" in problem.message
    assert problem.position.column >= column
    assert text.splitlines()[problem.position.line - 1].strip() == step


SAME = {
    "comments": ("rules:", "# a comment\nrules:"),
    "layout": ('when: status == "Partial"', 'when: >-\n      status   ==  "Partial"'),
    "spelling": ('"Partial"', '"partial"'),
    "list of one": ('status == "Partial"', '[status == "Partial"]'),
    "description": ("    do:", "    description: other words\n    do:"),
    "way of writing a step": ("- refill", "- refill: {}"),
    "another writing of a duration": ("    do:", "    for: 0s\n    do:"),
    "default written out": ("per_order: 1}", "per_order: 1, per_sweep: 25}"),
    "another order of keys": (
        "    do:\n      - refill\n    limit: {per_order: 1}\n",
        "    limit: {per_order: 1}\n    do:\n      - refill\n",
    ),
}
OTHER = {
    "condition": ("status ==", "remains > 0 and status =="),
    "hold": ("    do:", "    for: 1m\n    do:"),
    "step": ("- refill", "- cancel"),
    "steps": ("- refill", "- refill\n      - log: {message: x}"),
    "limit": ("per_order: 1", "per_order: 2"),
    "first seen": ("    do:", "    first_seen: act\n    do:"),
    "panels": ("    do:", "    panels: [main]\n    do:"),
    "until": ("    do:", "    until: remains == 0\n    do:"),
    "watch": ("watch: order", "watch: refill"),
}


@pytest.mark.parametrize(("old", "new"), SAME.values(), ids=SAME)
def test_the_same_meaning_has_the_same_version(tmp_path: Path, old: str, new: str) -> None:
    assert old in ORDER

    assert only_rule(tmp_path, ORDER.replace(old, new)).version == only_rule(tmp_path, ORDER).version


@pytest.mark.parametrize(("old", "new"), OTHER.values(), ids=OTHER)
def test_another_meaning_has_another_version(tmp_path: Path, old: str, new: str) -> None:
    text = ORDER.replace('"Partial"', '"Canceled"')
    assert old in text

    assert only_rule(tmp_path, text.replace(old, new)).version != only_rule(tmp_path, text).version


def test_directories_are_searched_and_files_read_once(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "b.yaml").write_text(BALANCE)
    (tmp_path / "below" / "a.yml").write_text(ORDER)
    (tmp_path / "notes.txt").write_text("not a rule")
    (tmp_path / ".hidden" / "c.yaml").write_text("broken: [")
    (tmp_path / ".draft.yaml").write_text("broken: [")

    loaded = load_rules([tmp_path, tmp_path / "b.yaml", tmp_path / "below"], SCOPE)

    assert [rule.name for rule in loaded.rules.rules] == ["low", "one"]
    assert loaded.warnings == ()


def test_problems_of_all_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ORDER.replace("remains", "x").replace("order", "odrer", 1))
    (tmp_path / "b.yaml").write_text("rules: [\n")
    (tmp_path / "c.yaml").write_text(BALANCE)
    (tmp_path / "d.yaml").write_text(BALANCE)

    with pytest.raises(DocumentError) as caught:
        load_rules([tmp_path, tmp_path / "gone.yaml"], SCOPE)

    assert [(found.position.file.name, found.position.line) for found in caught.value.problems] == [
        ("a.yaml", 3),
        ("b.yaml", 1),
        ("d.yaml", 2),
        ("gone.yaml", 1),
    ]
    assert str(tmp_path / "c.yaml") in caught.value.problems[2].message


def test_an_empty_directory_is_a_warning(tmp_path: Path) -> None:
    loaded = load_rules([tmp_path], SCOPE)

    (warning,) = loaded.warnings
    assert (warning.severity, warning.message) == (
        Severity.WARNING,
        "There are no rule files in this directory",
    )


def test_warnings_are_the_same_however_often_they_are_asked_for(tmp_path: Path) -> None:
    loaded = load(tmp_path, BALANCE.replace("amount < 20", "amount < 20 and amount > 30"))

    first, second = loaded.warnings, loaded.warnings

    assert [problem.severity for problem in first] == [Severity.WARNING]
    assert second == first


def test_tests_are_kept_as_written(tmp_path: Path) -> None:
    text = BALANCE + "tests:\n  - name: a\n    at: {0m: [], 10m: [low: [notify]]}\n  - name: b\n"

    first, second = load(tmp_path, text).tests

    assert first.value == {"name": "a", "at": {"0m": [], "10m": [{"low": ["notify"]}]}}
    assert (first.position.line, second.position.line) == (8, 10)


def test_a_file_of_tests_alone_is_fine(tmp_path: Path) -> None:
    loaded = load(tmp_path, "tests:\n  - name: a\n")

    assert (loaded.rules.rules, len(loaded.tests)) == ((), 1)


def examples() -> LoadedRules:
    return load_rules([EXAMPLES], Scope(frozenset({"main"}), {"ops": "log"}))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_loads_without_warnings(path: Path) -> None:
    loaded = load_rules([path], Scope(frozenset({"main"}), {"ops": "log"}))

    assert len(loaded.rules.rules) == 1
    assert loaded.warnings == ()
    assert loaded.tests
    assert path.read_text(encoding="utf-8").startswith("# ")


def test_the_examples_go_together() -> None:
    names = {rule.name for rule in examples().rules.rules}

    assert names == {
        "refill-partial",
        "reorder-rest",
        "reorder-canceled",
        "low-balance",
        "stuck-order",
        "price-increase",
        "service-gone",
        "refill-rejected",
        "panel-down",
        "unknown-status",
    }


EXAMPLE_MOMENTS = {
    "refill-partial": (
        {"status": "Partial", "remains": 157, "service.refill": True},
        {"status": "Partial", "remains": 0, "service.refill": True},
    ),
    "reorder-rest": (
        {"status": "Partial", "remains": 157, "service.refill": False, "service.min": 50},
        {"status": "Partial", "remains": 20, "service.refill": False, "service.min": 50},
    ),
    "low-balance": ({"amount": Decimal("12.5")}, {"amount": Decimal(50)}),
    "service-gone": ({"gone": True}, {"gone": False}),
    "refill-rejected": ({"status": "Rejected"}, {"status": "Completed"}),
    "unknown-status": ({"status_known": False}, {"status_known": True}),
    "reorder-canceled": (
        {"status": "Canceled", "placed_at": NOW - timedelta(days=1)},
        {"status": "Canceled", "placed_at": NOW - timedelta(days=4)},
    ),
    "stuck-order": (
        {"status": "In progress", "changed_at": NOW - timedelta(hours=25)},
        {"status": "Completed", "changed_at": NOW - timedelta(hours=25)},
    ),
    "price-increase": (
        {"rate_changed": True, "rate_increase": Decimal("0.1"), "changed_at": NOW - timedelta(hours=1)},
        {"rate_changed": True, "rate_increase": Decimal("0.02"), "changed_at": NOW - timedelta(hours=1)},
    ),
    "panel-down": (
        {"reachable": False, "failures": 4, "failing_since": NOW - timedelta(minutes=16)},
        {"reachable": True, "failures": 0},
    ),
}


@pytest.mark.parametrize("name", EXAMPLE_MOMENTS)
def test_an_example_tells_its_moment_from_others(name: str) -> None:
    rule = examples().rules.named(name)
    assert isinstance(rule, Rule)
    matching, other = EXAMPLE_MOMENTS[name]

    assert rule.when.holds(matching, NOW) is True
    assert rule.when.holds(other, NOW) is False


WORDS = st.sampled_from(
    [
        *("rules:", "tests:", "\n  - ", "name: x", "watch: order", "when: ", "do:", "refill", "notify:"),
        *("limit:", "{", "}", "[", "]", '"', "\n    ", ": ", "remains > 0", "status", "{{ order.id }}"),
        *("10m", "5", "~", "*a"),
    ]
)


@settings(max_examples=200)
@given(st.lists(WORDS, max_size=25).map("".join))
def test_any_file_is_rules_or_problems(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8")

    assert rules_or_problems(path)


def rules_or_problems(path: Path) -> bool:
    try:
        return isinstance(load_rules([path], SCOPE), LoadedRules)
    except DocumentError as error:
        return bool(error.problems)
