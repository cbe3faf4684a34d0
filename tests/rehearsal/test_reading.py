"""Every fault of a test is told with its place, a sentence and, where there is one, the near name."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from smm_rules.document import DocumentError
from smm_rules.rehearsal.testing.files import gather_tests
from tests.rehearsal.files import RULES, write

#: What is written (a `^` stands in front of the fault), and how the problem begins.
FAULTS = [
    ("- {name: x, ^givn: {order: {}}, at: {0m: []}}", 'Unknown key "givn". Did you mean "given"?'),
    ("- {name: x, given: {^ordre: {}}, at: {0m: []}}", 'Unknown key "ordre". Did you mean "order"?'),
    ("- {name: x, given: {^orders: []}, at: {0m: []}}", 'Unknown key "orders". Write `order:` with a list'),
    (
        "- {name: x, given: {order: {^remians: 3}}, at: {0m: []}}",
        'Unknown fact of an order "remians". Did you',
    ),
    ("- {name: x, given: {order: [{id: 1}, {id: 2, ^remans: 3}]}, at: {0m: []}}", "Unknown fact of an order"),
    (
        "- {name: x, given: {order: {status: ^Partail}}, at: {0m: []}}",
        "No panel is known to answer the status",
    ),
    (
        "- {name: x, given: {refill: {status: ^Rejectd}}, at: {0m: []}}",
        "No panel is known to answer the status",
    ),
    ("- {name: x, given: {order: {remains: ^many}}, at: {0m: []}}", "`remains` must be a whole number"),
    ("- {name: x, given: {balance: {amount: ^lots}}, at: {0m: []}}", "`amount` must be a number"),
    ("- {name: x, given: {service: {refill: ^maybe}}, at: {0m: []}}", "`refill` must be true or false"),
    ("- {name: x, given: {order: {age: ^old}}, at: {0m: []}}", "`age` must be a duration"),
    ("- {name: x, given: {order: {placed_at: ^May}}, at: {0m: []}}", "`placed_at` must be a time"),
    ("- {name: x, given: {order: [{}, ^{}]}, at: {0m: []}}", "order 1 is given twice"),
    ("- {name: x, given: ^[], at: {0m: []}}", "`given` must be a mapping"),
    ("- {name: x, given: ^{}, at: {0m: []}}", "`given` must say something"),
    ("- {name: x, given: {order: {}}, at: ^{}}", "`at` must not be empty"),
    ("- {name: x, given: {order: {}}, at: {^soon: []}}", "An instant is written as the time since the start"),
    ("- {name: x, given: {order: {}}, at: {60m: [], ^1h: []}}", "This instant stands here as 60m already"),
    ("- {name: x, given: {order: {}}, at: {^400d: []}}", "A test may last a year at most"),
    (
        "- {name: x, given: {order: {}}, at: {0m: [^refil-partial: []]}}",
        'There is no rule "refil-partial" here',
    ),
    ("- {name: x, given: {order: {}}, at: {0m: [^low]}}", 'There is no rule "low" here'),
    ("- {name: x, given: {order: {}}, at: {0m: [^3]}}", "A rule's name was expected"),
    (
        "- {name: x, given: {order: {}}, at: {0m: [low-balance: [^notfy]]}}",
        'There is no step "notfy". Did you',
    ),
    (
        "- {name: x, given: {order: {}}, at: {0m: [low-balance: [^refill]]}}",
        "Rule low-balance has no step refill",
    ),
    (
        "- {name: x, given: {order: {}}, at: {0m: [low-balance: [^[]]]}}",
        "A step is a word or a mapping of one key",
    ),
    (
        "- {name: x, given: {order: {}}, at: {0m: [low-balance: [notify: {^mesage: x}]]}}",
        'Unknown key "mesage"',
    ),
    (
        "- {name: x, given: {order: {}}, at: {0m: [low-balance: {^stps: []}]}}",
        'Unknown key "stps". Did you mean',
    ),
    (
        "- {name: x, given: {order: {}}, at: {0m: [low-balance: {^order: 1}]}}",
        "Rule low-balance watches balance",
    ),
    (
        "- {name: x, given: {order: {}}, at: {0m: [low-balance: {occasion: ^ended}]}}",
        "`occasion` must be fired",
    ),
    (
        "- {name: x, rules: ^lowbalance, given: {order: {}}, at: {0m: []}}",
        'There is no rule "lowbalance" here',
    ),
    ("- {name: x, rules: [low-balance, ^y], given: {order: {}}, at: {0m: []}}", 'There is no rule "y" here'),
    ("- {name: x, every: ^often, given: {order: {}}, at: {0m: []}}", "`every` must be a duration"),
    (
        "- {name: x, answers: {^refil: lost}, given: {order: {}}, at: {0m: []}}",
        'Unknown key "refil". Did you',
    ),
    (
        "- {name: x, answers: {refill: ^lsot}, given: {order: {}}, at: {0m: []}}",
        '"lsot" is not an answer of a',
    ),
    (
        "- {name: x, answers: {refill: {^refuse: a}}, given: {order: {}}, at: {0m: []}}",
        'Unknown key "refuse"',
    ),
    (
        "- {name: x, answers: {refill: ^{order: 1}}, given: {order: {}}, at: {0m: []}}",
        "An answer to refill has one",
    ),
    ("- {name: x, answers: {refill: ^[]}, given: {order: {}}, at: {0m: []}}", "`refill` has no answer"),
    (
        "- {name: x, change: {^0m: {order: {}}}, given: {order: {}}, at: {0m: []}}",
        "A change at the very start",
    ),
    (
        "- {name: x, change: {^2h: {order: {}}}, given: {order: {}}, at: {1h: []}}",
        "Nothing is expected after this",
    ),
    (
        "- {name: x, change: {1h: {order: {^quantity: 5}}}, given: {order: {}}, at: {1h: []}}",
        "`quantity` is set when",
    ),
    (
        "- {^happens: {}, name: x, given: {order: {}}, at: {0m: []}}",
        'Unknown key "happens". Did you mean "change"?',
    ),
    ("- {^given: {order: {}}, at: {0m: []}}", "The key `name` is missing"),
    ("- ^nothing", "Item 1 of `tests` must be a mapping"),
]


def faults(path: Path) -> list[tuple[int, int, str]]:
    with pytest.raises(DocumentError) as caught:
        gather_tests([path])
    return [
        (problem.position.line, problem.position.column, f"{problem.message}. {problem.suggestion}")
        for problem in caught.value.problems
    ]


@pytest.mark.parametrize(("written", "begins"), FAULTS)
def test_a_fault_is_told_at_its_place(tmp_path: Path, written: str, begins: str) -> None:
    line = RULES.count("\n") + 2
    column = written.index("^") + 3
    if begins.startswith("The key `name`"):
        column -= 1  # a mapping stands where its bracket does
    path = write(tmp_path, written.replace("^", "", 1))
    found = faults(path)
    assert [(at, there) for at, there, _ in found] == [(line, column)]
    assert found[0][2].startswith(begins)


def test_a_misspelt_key_hides_no_other_fault(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        - name: x
          givn: {}
          given: {order: {status: Partail, remians: 3}, servce: {}}
          at: {0m: [rr: []], 1x: []}
          answers: {refill: lsot}
        """,
    )
    assert len(faults(path)) == 7


def test_a_rule_at_fault_is_told_and_its_tests_wait(tmp_path: Path) -> None:
    broken = RULES.replace("remains > 0", "remians > 0")
    path = write(tmp_path, "- {name: x, givn: {order: {}}, at: {0m: []}}", broken)
    assert [(line, column) for line, column, _ in faults(path)] == [(4, 35)]


FILE = dedent(
    """
    rules: {rules}
    tests:
      - name: a low balance
        given: {{balance: {{amount: 3}}}}
        at: {{0m: [low-balance]}}
    """
).lstrip()
#: One that doesn't say whose tests it holds.
UNNAMED = FILE.format(rules="").split("\n", 1)[1]


def test_tests_stand_beside_rules(tmp_path: Path) -> None:
    (tmp_path / "money.yaml").write_text(RULES, encoding="utf-8")
    (tmp_path / "money_test.yaml").write_text(FILE.format(rules="money.yaml"), encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "all.yaml").write_text(FILE.format(rules="[../money.yaml]"), encoding="utf-8")
    (tmp_path / "tests" / "money.yaml").write_text(UNNAMED, encoding="utf-8")
    suite = gather_tests([tmp_path])
    assert [test.file.name for test in suite.tests] == ["money_test.yaml", "all.yaml", "money.yaml"]
    assert [rule.name for rule in suite.rules] == ["refill-partial", "low-balance"]
    assert len(gather_tests([tmp_path / "money.yaml"]).tests) == 1
    assert len(gather_tests([tmp_path / "tests" / "money.yaml"]).tests) == 1


def test_a_file_of_tests_must_say_whose_they_are(tmp_path: Path) -> None:
    path = tmp_path / "lonely_test.yaml"
    path.write_text(UNNAMED, encoding="utf-8")
    assert [text for _, _, text in faults(path)] == [
        "It isn't said which rules these tests are for. Write for example rules: ../refill.yaml at the top"
    ]
    path.write_text(FILE.format(rules="nowhere.yaml"), encoding="utf-8")
    assert [(line, column) for line, column, _ in faults(path)] == [(1, 8)]
