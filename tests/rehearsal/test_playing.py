"""What tests of rules can say, and what they hear when it isn't so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rehearsal.files import RULES, played, told

PASSING = {
    "a firing with its steps": """
        - name: x
          given: {order: {status: Partial, remains: 157}}
          at:
            9m: []
            10m: [refill-partial: [refill: {order: 1}, notify: {message: "1 lacks 157, 501 asked"}]]
            1d: []
        """,
    "a part of a text": """
        - name: x
          given: {order: {status: Partial, remains: 157}}
          at: {10m: [refill-partial: [refill, notify: {message: ~ lacks 157}]]}
        """,
    "a name alone": """
        - name: x
          given: {order: {status: Partial, remains: 157}}
          at: {1h: [refill-partial]}
        """,
    "a refusal": """
        - name: x
          given: {order: {id: 7, status: Partial, remains: 157, parameters: {runs: ""}}}
          answers: {refill: {refused: Out of warranty}, reorder: {order: 1007}}
          at:
            10m:
              - refill-partial:
                  - refill: {outcome: rejected, reason: Out of warranty, order: 7}
                  - notify: {title: Refused, message: Out of warranty}
                  - reorder: {quantity: 157, service: 1, link: "https://example.com/post", panel: main}
        """,
    "answers in a row": """
        - name: x
          given: {order: {status: Partial, remains: 157}}
          answers: {refill: [unreachable, limited, {refill: 9}]}
          at: {10m: [refill-partial: []], 1h: [refill-partial: [refill, notify: {message: ~ 9 asked}]]}
        """,
    "a refill that came too early": """
        - name: x
          given: {order: {status: Partial, remains: 157}}
          answers: {refill: [{refused: Already in progress}, {refill: 9}]}
          at: {10m: [refill-partial: []], 40m: [refill-partial: [refill, notify: {message: ~ 9 asked}]]}
        """,
    "a lost answer": """
        - name: x
          given: {order: {status: Partial, remains: 157}}
          answers: {refill: lost}
          at: {10m: [refill-partial: [refill: {outcome: unknown}]], 1d: []}
        """,
    "a held purchase": """
        - name: x
          given: {order: {status: Partial, remains: 157, rate: 0.50}}
          answers: {refill: {refused: no}}
          at:
            10m:
              - refill-partial:
                  - refill: {outcome: rejected}
                  - notify
                  - reorder: {outcome: held, reason: rate_increase}
        """,
    "a purchase over the test's own budget": """
        - name: x
          guards: {spend: 0.10/day}
          given: {order: {status: Partial, remains: 157}}
          answers: {refill: {refused: no}}
          at:
            10m:
              - refill-partial:
                  - refill: {outcome: rejected}
                  - notify
                  - reorder: {outcome: held, reason: total_spend_per_day}
        """,
    "a panel's guard of the test's own": """
        - name: x
          guards: {panels: {main: {keep_balance: 99.90}}}
          given: {order: {status: Partial, remains: 157}}
          answers: {refill: {refused: no}}
          at:
            10m:
              - refill-partial:
                  - refill: {outcome: rejected}
                  - notify
                  - reorder: {outcome: held, reason: keep_balance}
        """,
    "several orders": """
        - name: x
          given: {order: [{id: 1, status: Partial, remains: 5}, {id: 2, status: Partial, remains: 6}]}
          at:
            10m:
              - refill-partial: {order: 2, steps: [refill, notify: {message: ~ 2 lacks 6}]}
              - refill-partial: {order: 1, occasion: fired}
        """,
    "hysteresis, reminders and an end with data": """
        - name: x
          given: {balance: {amount: 19.50, currency: EUR}}
          change: {7h: {balance: {amount: 24}}, 8h: {balance: {amount: 26}}}
          at:
            0m: [low-balance: [notify: {message: 19.50 left}]]
            6h: [low-balance: {occasion: reminded, steps: [notify], panel: main}]
            7h: []
            8h:
              - low-balance:
                  occasion: resolved
                  steps: [webhook: {data: {amount: "26", nested: {list: [1, 2]}}}]
        """,
    "an unknown fact": """
        - name: x
          given: {order: {status: Partial, remains: null}}
          at: {1h: []}
        """,
    "an imported order": """
        - name: x
          given: {order: {status: Partial, remains: 5, imported: true}}
          change: {1h: {order: {status: In progress}}, 2h: {order: {status: Partial}}}
          at: {1h: [], 2h10m: [refill-partial]}
        """,
    "an order that settled is looked at no more": """
        - name: x
          given: {order: {status: Completed}}
          change: {30h: {order: {status: Partial, remains: 10}}}
          at: {2d: []}
        """,
    "chosen rules": """
        - name: x
          rules: low-balance
          given: {order: {status: Partial, remains: 5}, balance: {amount: 3}}
          at: {1h: [low-balance]}
        """,
    "another panel": """
        - name: x
          given: {panel: {name: north}, balance: {amount: 3}, order: {status: Partial, remains: 3}}
          at: {1h: [low-balance: {panel: north}, refill-partial: [refill: {panel: north}, notify]]}
        """,
    "a limit": """
        - name: x
          given: {order: {status: Partial, remains: 5}}
          change:
            20m: {order: {status: In progress}}
            30m: {order: {status: Partial}}
            5h: {order: {status: In progress}}
            6h: {order: {status: Partial}}
          at: {10m: [refill-partial], 1h9m: [], 1h10m: [refill-partial], 8h: []}
        """,
}


@pytest.mark.parametrize("tests", PASSING.values(), ids=PASSING)
async def test_passes(tmp_path: Path, tests: str) -> None:
    assert await told(tmp_path, tests) == []


async def test_the_same_test_comes_out_the_same(tmp_path: Path) -> None:
    first = await played(tmp_path, PASSING["a refusal"])
    again = await played(tmp_path, PASSING["a refusal"])
    assert first[0].stage.record.steps == again[0].stage.record.steps


async def test_a_text_that_differs_is_shown_beside_what_was_expected(tmp_path: Path) -> None:
    tests = """
        - name: x
          given: {order: {status: Partial, remains: 157}}
          at: {10m: [refill-partial: [refill, notify: {channel: dev, message: ~ 158}]]}
        """
    assert await told(tmp_path, tests) == [
        "refill-partial fired for order/main/1 at 10m, but not as expected | notify channel: | "
        '    expected "dev" | got      "ops" | notify message: |     expected "~ 158" | '
        '    got      "1 lacks 157, 501 asked"'.replace("| got", "|     got")
    ]


async def test_steps_that_differ_are_shown_side_by_side(tmp_path: Path) -> None:
    tests = """
        - name: x
          given: {order: {status: Partial, remains: 157}}
          answers: {refill: lost}
          at: {10m: [refill-partial: [refill, notify]]}
        """
    assert await told(tmp_path, tests) == [
        "refill-partial fired for order/main/1 at 10m, but not as expected | expected refill, notify | "
        "got      refill (unknown: the answer got lost)"
    ]


async def test_an_action_that_was_only_held_was_not_asked_of_the_panel(tmp_path: Path) -> None:
    tests = """
        - name: x
          given: {order: {status: Partial, remains: 157, rate: 0.50}}
          answers: {refill: {refused: no}}
          at: {10m: [refill-partial: [refill, notify, reorder]]}
        """
    (failure,) = await told(tmp_path, tests)
    assert "reorder: expected asked of the panel, got held: service 1 costs 1.00 for 1000" in failure


async def test_what_was_not_expected_fails(tmp_path: Path) -> None:
    tests = """
        - name: x
          given: {order: {status: Partial, remains: 157}}
          at: {1h: []}
        """
    assert await told(tmp_path, tests) == [
        "refill-partial fired for order/main/1, which was not expected | "
        'it came at 10m: refill, notify "1 lacks 157, 501 asked"'
    ]


async def test_what_went_on_later_is_told_from_what_fired(tmp_path: Path) -> None:
    tests = """
        - name: x
          given: {order: {status: Partial, remains: 157}}
          answers: {refill: [unreachable, accepted]}
          at: {10m: [refill-partial], 1h: []}
        """
    assert await told(tmp_path, tests) == [
        "refill-partial went on for order/main/1, which was not expected | "
        'it fired at 10m, and since the instant before came: refill, notify "1 lacks 157, 501 asked"'
    ]


async def test_what_did_not_come_is_explained_clause_by_clause(tmp_path: Path) -> None:
    tests = """
        - name: x
          given: {order: {status: Partial, remains: 0}, service: {refill: null}}
          at: {1h: [refill-partial: [refill]]}
        """
    (failure,) = await told(tmp_path, tests)
    assert failure.split(" | ")[:5] == [
        "refill-partial [refill] was expected and did not come",
        "order/main/1: `remains > 0` is false.",
        '    status == "Partial"  true     status = "Partial"',
        "    remains > 0          false    remains = 0",
        "    service.refill       unknown  service.refill = unknown",
    ]


async def test_a_hold_that_still_runs_is_told_with_how_long(tmp_path: Path) -> None:
    tests = """
        - name: x
          given: {order: {status: Partial, remains: 5}}
          at: {4m: [refill-partial: [refill]], 10m: [refill-partial]}
        """
    (failure,) = await told(tmp_path, tests)
    assert "It has held for 4m of the 10m it must" in failure


async def test_a_rule_whose_kind_is_not_given_says_so(tmp_path: Path) -> None:
    tests = """
        - name: x
          given: {order: {status: Completed}}
          at: {4m: [low-balance]}
        """
    (failure,) = await told(tmp_path, tests)
    assert failure.endswith("the rule watches balance, and there is none in `given`")


async def test_a_rule_for_another_panel_says_so(tmp_path: Path) -> None:
    rules = RULES.replace("watch: balance", "watch: balance\n    panels: north")
    tests = """
        - name: x
          given: {balance: {amount: 3}}
          at: {4m: [low-balance]}
        """
    (failure,) = await told(tmp_path, tests, rules)
    assert "The rule is for panels: north, and this is on main." in failure


async def test_the_wrong_order_is_not_taken_for_the_right_one(tmp_path: Path) -> None:
    tests = """
        - name: x
          given: {order: [{id: 1, status: Partial, remains: 5}, {id: 2}]}
          at: {10m: [refill-partial: {order: 2}]}
        """
    unexpected, missing = await told(tmp_path, tests)
    assert missing.startswith("refill-partial for order 2 was expected and did not come")
    assert unexpected.startswith("refill-partial fired for order/main/1, which was not expected")
