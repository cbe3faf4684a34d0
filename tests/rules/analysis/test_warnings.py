"""The warnings of sound rules, each with its place, and the rules that give none."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.document import Problem, Severity
from smm_rules.rules import Scope, load_rules
from tests.document.marked import unmarked
from tests.rules.written import SCOPE

ROOT = Path(__file__).parents[3]
RULE = """\
rules:
  - name: one
    watch: order
    when: {}
    do: [{{log: {{message: x}}}}]
"""
ACTING = """\
  - name: {name}
    watch: {watch}
    when: {when}
    panels: [{panels}]
    do: [refill]
    limit: {{per_order: 1}}
"""


def warnings(tmp_path: Path, text: str, scope: Scope | None = SCOPE) -> tuple[Problem, ...]:
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return load_rules([path], scope).warnings


#: A condition of an order with the mark where the warning stands, and a part of its words.
ODD = {
    "two statuses": ('status == "Partial" and ⟦status == "Canceled"', "can't both be true"),
    "two spellings of one status": ('status == "Canceled" and ⟦status != "cancelled"', "can't both be true"),
    "an empty range": ("remains > 5 and service.refill and ⟦remains < 3", "can't both be true"),
    "an empty range of one chain": ("⟦5 < remains < 3", "can never be true"),
    "an empty range of money": ("charge >= 5 USD and ⟦charge < 4.99 USD", "can't both be true"),
    "two currencies": ("charge >= 5 USD and ⟦charge < 6 EUR", "can't both be true"),
    "an empty range of a duration": ("age > 2h and ⟦age <= 90m", "can't both be true"),
    "a single point left out": ("⟦remains >= 3 and remains <= 3 and remains != 3", "at the same time"),
    "a flag and its opposite": ("service.refill and ⟦not service.refill", "can't both be true"),
    "a list without a common status": (
        'status in ("Partial", "Error") and ⟦status not in ("Error", "Partial", "Active")',
        "can't both be true",
    ),
    "a known and an unknown fact": ("remains > 5 and ⟦not known(remains)", "can't both be true"),
    "a status that is known and isn't": ('status == "Partial" and ⟦not status_known', "can't both be true"),
    "a share above one": ("⟦progress > 1.5", "can never be true"),
    "a share in percent": ("⟦progress >= 95", "can never be true"),
    "a negative count": ("⟦refills < 0", "can never be true"),
    "constants": ("⟦1 > 2", "can never be true"),
    "a fact beside itself": ("⟦remains < remains", "can never be true"),
    "two facts both ways": ("remains < quantity and ⟦remains > quantity", "can't both be true"),
    "a failing panel that answers": ("panel.reachable and ⟦panel.failing_for > 5m", "can't both be true"),
    "both sides": ("⟦remains > 0 or remains <= 0", "true for every order"),
    "a constant": ("⟦1 < 2", "true for every order"),
    "all but one or another": ('⟦status != "Partial" or status != "Canceled"', "true for every order"),
    "a clause always true": ("remains > 1 and ⟦refills >= 0", "true for every order of which"),
    "a clause said already": ("remains > 5 and ⟦remains > 3", "`remains > 5` says it already"),
    "a clause said twice": ("service.refill and ⟦service.refill == true", "says it already"),
    "a clause that two others say": (
        "remains >= 2 and remains <= 2 and ⟦remains == 2",
        "the rest of the condition says it already",
    ),
    "a way never taken": (
        'status == "Partial" and (remains > 5 or ⟦status == "Canceled")',
        "this way of the `or` is never taken",
    ),
    "a way covered": ('⟦status == "Partial" or status in ("Partial", "Error")', "true then in any case"),
}


@pytest.mark.parametrize(("marked", "words"), ODD.values(), ids=ODD)
def test_an_odd_condition(tmp_path: Path, marked: str, words: str) -> None:
    text, line, column = unmarked(RULE.format(marked))

    (found,) = warnings(tmp_path, text)

    assert (found.position.line, found.position.column) == (line, column)
    assert words in found.message
    assert found.severity is Severity.WARNING


SOUND = (
    'status == "Partial" or status == "Canceled"',
    "known(start_count) and start_count > 1000",
    "known(start_count) or quantity > 5",
    "remains > 5 and remains < 6",
    "remains > 3 and quantity > 3",
    "not known(remains) or remains > 5",
    "remains != 0 and remains != 1",
    "age >= 0s and remains > 1",
    "charge < 5 USD or charge >= 5 USD",
    "remains / quantity > 1 or remains / quantity <= 1",
    'contains(label, "a") and not contains(label, "b")',
    "remains < 0",
    "status_known or remains > 5",
    "not panel.reachable and panel.failures >= 3 and remains > 1",
    'not (status in ("Completed", "Partial") or remains == 0)',
)


@pytest.mark.parametrize("condition", SOUND)
def test_a_sound_condition(tmp_path: Path, condition: str) -> None:
    assert warnings(tmp_path, RULE.format(condition)) == ()


def test_a_condition_with_too_many_ways_is_left_alone(tmp_path: Path) -> None:
    pairs = " and ".join(f"(remains > {n} or quantity > {n})" for n in range(12))

    assert warnings(tmp_path, RULE.format(pairs)) == ()


def test_clauses_of_a_list_have_their_own_places(tmp_path: Path) -> None:
    text = RULE.format('\n      - status == "Partial"\n      - remains > 0\n      - status == "Error"')

    (found,) = warnings(tmp_path, text)

    assert (found.position.line, found.position.column) == (7, 9)


# -- until --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("until", "words"),
    [
        ("⟦amount < 25", "true already while `when` is"),
        ("⟦amount > 25 or amount <= 25", "true already while `when` is"),
        ("amount > 25 and ⟦amount < 20", "what the rule began is never over"),
    ],
)
def test_an_odd_until(tmp_path: Path, until: str, words: str) -> None:
    text, line, column = unmarked(
        f"""\
rules:
  - name: low
    watch: balance
    when: amount < 20
    until: {until}
    do: [{{log: {{message: low}}}}]
"""
    )

    (found,) = warnings(tmp_path, text)

    assert (found.position.line, found.position.column) == (line, column)
    assert words in found.message


# -- things that have ended --------------------------------------------------------------------------------
SETTLING = Scope(SCOPE.panels, SCOPE.channels, settle_after=timedelta(days=1))


@pytest.mark.parametrize(
    "marked",
    [
        'status == "Completed" and ⟦unchanged > 3d',
        'status in ("Completed", "Partial") and remains > 0 and ⟦in_status >= 25h',
        'status == "Completed" and ⟦unchanged > 2d and remains > 5 or status == "Partial" and in_status > 3d',
    ],
)
def test_what_ended_is_not_looked_at_for_so_long(tmp_path: Path, marked: str) -> None:
    text, line, _ = unmarked(RULE.format(marked))

    (found,) = warnings(tmp_path, text, SETTLING)

    assert found.position.line == line
    assert found.message.startswith("An order that has ended is looked at for 1d and then no more")
    assert found.severity is Severity.WARNING


def test_the_clause_that_waits_too_long_is_pointed_at(tmp_path: Path) -> None:
    text, line, column = unmarked(RULE.format('status == "Completed" and ⟦unchanged > 3d'))

    (found,) = warnings(tmp_path, text, SETTLING)

    assert (found.position.line, found.position.column) == (line, column)


@pytest.mark.parametrize(
    "condition",
    [
        'status == "Completed" and unchanged > 1d',
        'status == "In progress" and unchanged > 3d',
        'status != "Completed" and unchanged > 3d',
        'status == "Completed" and age > 30d',
        'status == "Completed" and (unchanged > 3d or remains > 0)',
        "unchanged > 3d",
    ],
)
def test_what_may_still_be_looked_at(tmp_path: Path, condition: str) -> None:
    assert warnings(tmp_path, RULE.format(condition), SETTLING) == ()


def test_without_a_configuration_nobody_knows_how_long_things_are_looked_at(tmp_path: Path) -> None:
    assert warnings(tmp_path, RULE.format('status == "Completed" and unchanged > 30d')) == ()


# -- steps --------------------------------------------------------------------------------------------------
STEPS = """rules:
  - name: one
    watch: order
    when: status == "Pending" and in_status > 2d
    do: {}
    limit: {{per_order: 1}}
"""


def test_a_reorder_after_a_cancel_pays_before_the_order_is_canceled(tmp_path: Path) -> None:
    text, line, column = unmarked(STEPS.format("[cancel, {log: {message: x}}, ⟦reorder]"))

    (found,) = warnings(tmp_path, text)

    assert (found.position.line, found.position.column) == (line, column)
    assert found.message == (
        "`reorder` pays as soon as the panel has taken the `cancel` before it, and the order is canceled "
        "only when its status says so, if at all"
    )
    assert found.severity is Severity.WARNING


@pytest.mark.parametrize(
    "steps", ["[reorder, cancel]", "[cancel]\n    otherwise: [reorder]", "[refill, reorder]"]
)
def test_other_orders_of_steps_are_left_alone(tmp_path: Path, steps: str) -> None:
    assert warnings(tmp_path, STEPS.format(steps)) == ()


# -- two rules ----------------------------------------------------------------------------------------------
def two(first: dict[str, str], second: dict[str, str]) -> str:
    plain = {"watch": "order", "panels": "main"}
    return "rules:\n" + "".join(
        ACTING.format(**{**plain, "name": name, **rule}) for name, rule in (("one", first), ("two", second))
    )


def test_two_rules_that_act_on_the_same_order(tmp_path: Path) -> None:
    text = two({"when": 'status == "Partial" and remains > 5'}, {"when": "remains > 1 and age > 1d"})

    (found,) = warnings(tmp_path, text)

    assert (found.position.line, found.position.column) == (10, 11)
    assert found.message == (
        '"two" and "one" can both act on the same order, for example with status Partial, remains 6, age 1d1m'
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"when": 'status == "Partial"'}, {"when": 'status == "Canceled"'}),
        ({"when": "service.refill"}, {"when": "not service.refill and remains > 0"}),
        ({"when": "remains > 0"}, {"when": "remains > 0", "panels": "second"}),
        ({"when": 'status == "Completed"'}, {"when": 'status == "Completed"', "watch": "refill"}),
        ({"when": 'starts_with(label, "a")'}, {"when": 'starts_with(label, "b")'}),
        ({"when": "charge < 5 USD"}, {"when": "charge < 5 EUR"}),
    ],
)
def test_two_rules_that_do_not_meet(tmp_path: Path, first: dict[str, str], second: dict[str, str]) -> None:
    assert warnings(tmp_path, two(first, second)) == ()


def test_telling_of_the_same_order_twice_is_no_collision(tmp_path: Path) -> None:
    text = RULE.format("remains > 0") + RULE.format("remains > 1").removeprefix("rules:\n").replace(
        "one", "two"
    )

    assert warnings(tmp_path, text) == ()


# -- templates ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("step", "words"),
    [
        ('notify: {channel: ops, message: "{{ ⟦start_count }}"}', "only tell the plain facts"),
        ('notify: {channel: ops, message: "x {{ status }} {{ ⟦order.age }}"}', "only tell the plain facts"),
        ('reorder: {quantity: "{{ ⟦quantity }}"}', "`reorder` is not sent without it"),
        ('reorder: {parameters: {runs: "{{ ⟦order.runs }}"}}', "`reorder` is not sent without it"),
        ('reorder: {quantity: "{{ ⟦service.min }}"}', "`reorder` is not sent without it"),
    ],
)
def test_a_fact_that_may_be_unknown(tmp_path: Path, step: str, words: str) -> None:
    text, line, column = unmarked(RULE.format('status == "Partial"').replace("log: {message: x}", step))
    text += "    limit: {per_order: 1}\n"

    (found,) = warnings(tmp_path, text)

    assert (found.position.line, found.position.column) == (line, column)
    assert words in found.message


@pytest.mark.parametrize(
    ("condition", "step"),
    [
        ("known(quantity)", 'reorder: {quantity: "{{ quantity }}"}'),
        ("remains > 5", 'reorder: {quantity: "{{ order.remains }}"}'),
        ("progress > 0.5", 'notify: {channel: ops, message: "{{ quantity }} {{ delivered }}"}'),
        ("age > 1d", 'notify: {channel: ops, message: "{{ order.placed_at }}"}'),
        ("remains > 5", "notify: {channel: ops, message: \"{{ start_count | default('?') }}\"}"),
        (
            "remains > 5",
            'notify: {channel: ops, message: "{% if start_count is known %}{{ start_count }}{% endif %}"}',
        ),
        ("remains > 5", 'notify: {channel: ops, message: "{{ status }} {{ service.name }} {{ remains }}"}'),
    ],
)
def test_a_fact_that_is_asked_for(tmp_path: Path, condition: str, step: str) -> None:
    text = RULE.format(condition).replace("log: {message: x}", step) + "    limit: {per_order: 1}\n"

    assert warnings(tmp_path, text) == ()


def test_what_ends_a_rule_decides_what_is_known_when_it_is_over(tmp_path: Path) -> None:
    text = """\
rules:
  - name: down
    watch: panel
    when: not reachable
    do: [{log: {message: "{{ failing_for }}"}}]
    done: [{log: {message: "{{ failing_for }}"}}]
"""

    (found,) = warnings(tmp_path, text)

    assert (found.position.line, found.position.column) == (6, 32)


# -- what is shipped ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path", ["rules", "smm_rules/demo/rules.yaml", "smm_rules/cli/first_set_up/first-rules.yaml"]
)
def test_shipped_rules_give_no_warnings(path: str) -> None:
    assert load_rules([ROOT / path]).warnings == ()
