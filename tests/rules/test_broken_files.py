"""Broken rule files: each gives one problem, exactly placed, in a sentence, with a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.written import BALANCE, ORDER, marked_problem, problems

#: What is broken: a part of a sound file, what stands there instead, the sentence, the suggestion.
IN_ORDER = {
    # conditions
    "misspelt status": ('"Partial"', '⟦"Partail"', 'no order status "Partail"', '"Partial"'),
    "misspelt fact": ("status ==", "⟦remians > 0 and status ==", 'no fact "remians"', '"remains"'),
    "misspelt related fact": ("status ==", "⟦service.refil and status ==", "service.refil", "refill"),
    "fact in a block": (
        'when: status == "Partial"',
        'when: |\n      status == "Partial"\n        and ⟦remians > 0',
        'no fact "remians"',
        '"remains"',
    ),
    "fact in a folded block": (
        'when: status == "Partial"',
        'when: >-\n      status == "Partial"\n      and ⟦remians > 0',
        'no fact "remians"',
        '"remains"',
    ),
    "fact over lines": (
        'when: status == "Partial"',
        'when: status == "Partial"\n      and ⟦remians > 0',
        'no fact "remians"',
        '"remains"',
    ),
    "fact in double quotes": (
        'when: status == "Partial"',
        'when: "status == \\"Partial\\" and ⟦remians > 0"',
        'no fact "remians"',
        '"remains"',
    ),
    "fact in single quotes": (
        'when: status == "Partial"',
        "when: 'status == ''Partial'' and ⟦remians > 0'",
        'no fact "remians"',
        '"remains"',
    ),
    "fact in a list": (
        'when: status == "Partial"',
        'when:\n      - status == "Partial"\n      - ⟦remians > 0',
        'no fact "remians"',
        '"remains"',
    ),
    "fact in until": ("    do:", "    until: ⟦remians == 0\n    do:", 'no fact "remians"', '"remains"'),
    "empty condition": ('status == "Partial"', '⟦""', "must not be empty", ""),
    "no condition": ('when: status == "Partial"', "⟦when:", "has no value", ""),
    "empty list of conditions": ('status == "Partial"', "⟦[]", "`when` must not be empty", ""),
    "condition that is a flag": ('status == "Partial"', "⟦true", "`when` must be text, not true", ""),
    "condition that is a mapping": ('status == "Partial"', "⟦{status: Partial}", "must be text", ""),
    # keys
    "misspelt when": ("when:", "⟦whn:", 'Unknown key "whn"', '"when"'),
    "misspelt watch": ("watch:", "⟦wacth:", 'Unknown key "wacth"', '"watch"'),
    "if": ("    do:", "    ⟦if: x\n    do:", 'Unknown key "if"', '"when"'),
    "then": ("    do:", "    ⟦then: x\n    do:", 'Unknown key "then"', '"do"'),
    "else": ("    do:", "    ⟦else: x\n    do:", 'Unknown key "else"', '"otherwise"'),
    "every outside limit": ("    do:", "    ⟦every: 1h\n    do:", 'Unknown key "every"', "below `limit:`"),
    "missing name": ("- name: one\n    watch", "- ⟦watch", "The key `name` is missing", ""),
    "missing watch": ("- name: one\n    watch: order", "- ⟦name: one", "The key `watch` is missing", ""),
    "missing do": (
        '- name: one\n    watch: order\n    when: status == "Partial"\n    do:\n      - refill',
        '- ⟦name: one\n    watch: order\n    when: status == "Partial"',
        "The key `do` is missing",
        "",
    ),
    "watch what isn't": ("watch: order", "watch: ⟦orders", "`watch` must be order, refill", '"order"'),
    "duplicate key": ("    do:", "    ⟦watch: order\n    do:", '"watch" is written twice', ""),
    "name with spaces": ("name: one", "name: ⟦one rule", "letters, digits and dashes", "one-rule"),
    "name that is a number": ("name: one", "name: ⟦1", "`name` must be text", '"1"'),
    "description that is a list": (
        "    do:",
        "    description: ⟦[x]\n    do:",
        "must be text, not a list",
        "",
    ),
    # durations
    "for without unit": ("    do:", "    for: ⟦10\n    do:", "`for` must be a duration", "10s, 10m or 10h"),
    "for in words": ("    do:", "    for: ⟦ten minutes\n    do:", "`for` must be a duration", ""),
    "for below zero": ("    do:", "    for: ⟦-5m\n    do:", "`for` must be a duration", ""),
    "for as a clock time": ("    do:", "    for: ⟦12:30\n    do:", "`for` must be a duration", ""),
    "for left empty": ("    do:", "    ⟦for:\n    do:", "`for` must be a duration", ""),
    # steps
    "unknown word": ("- refill", "- ⟦refil", 'Unknown step "refil"', '"refill"'),
    "unknown step": ("- refill", "- ⟦refund: {}", 'Unknown step "refund"', ""),
    "two steps in one": ("- refill", "- ⟦refill:\n        cancel:", "Only one of these keys", "one entry"),
    "no step": ("- refill", "- ⟦{}", "One of these keys is needed here: refill", ""),
    "empty step": ("- refill", "⟦- ", "must be a mapping", ""),
    "refill with a parameter": ("- refill", "- refill: {⟦order: 5}", 'Unknown key "order"', "Leave it out"),
    "no steps": ("\n      - refill", " ⟦[]", "`do` must not be empty", ""),
    "steps as a mapping": ("\n      - refill", " ⟦{refill: }", "`do` must be a list", ""),
    "misspelt parameter": ("- refill", "- reorder: {⟦quantiy: 5}", 'Unknown key "quantiy"', '"quantity"'),
    "quantity in words": ("- refill", "- reorder: {quantity: ⟦many}", "a whole number above 0", ""),
    "quantity of none": ("- refill", "- reorder: {quantity: ⟦0}", "a whole number above 0", ""),
    "quantity of a half": ("- refill", "- reorder: {quantity: ⟦0.5}", "a whole number above 0", ""),
    "increase without percent": (
        "- refill",
        "- reorder: {max_rate_increase: ⟦10}",
        "must be a percentage like 10%",
        "Write 10%",
    ),
    "comments in the wrong place": (
        "- refill",
        "- reorder: {⟦comments: x}",
        'Unknown key "comments"',
        "below `parameters:`",
    ),
    "quantity in parameters": (
        "- refill",
        "- reorder: {parameters: {quantity: 5}}",
        "`quantity` stands beside `parameters`",
        "one level up",
    ),
    "key in parameters": ("- refill", "- reorder: {parameters: {⟦key: x}}", "can't be among", ""),
    "nothing as a parameter": (
        "- refill",
        "- reorder: {parameters: {⟦comments: }}",
        "must be text or a number, not nothing",
        "",
    ),
    "unknown panel of a reorder": ("- refill", "- reorder: {panel: ⟦mian}", 'no panel "mian"', '"main"'),
    "unknown panel": ("    do:", "    panels: [main, ⟦secnd]\n    do:", 'no panel "secnd"', '"second"'),
    "no panels": ("    do:", "    panels: ⟦[]\n    do:", "`panels` must not be empty", ""),
    "act in done": ("    limit:", "    done: [⟦cancel]\n    limit:", "`done` only tells", "rule of its own"),
    "remind without telling": (
        "    limit:",
        "    ⟦remind: 1h\n    limit:",
        "nothing in `do` tells",
        "notify",
    ),
    "remind too often": ("    limit:", "    remind: ⟦5s\n    limit:", "`remind` must be at least 1m", ""),
    # limits
    "no limit": ("name: one", "name: ⟦one", "needs a `limit`", "limit: {per_order: 3, every: 24h}"),
    "misspelt limit": ("per_order", "⟦per_orders", 'Unknown key "per_orders"', '"per_order"'),
    "limit per day": ("per_order: 1", "⟦per_day: 1", 'Unknown key "per_day"', "every: 24h"),
    "limit of none": ("per_order: 1", "per_order: ⟦0", "must be at least 1, not 0", ""),
    "limit in words": ("per_order: 1", "per_order: ⟦once", "must be a whole number", ""),
    "limit as a number": ("{per_order: 1}", "⟦3", "`limit` must be a mapping", ""),
    "first seen": ("    do:", "    first_seen: ⟦skip\n    do:", "`first_seen` must be ignore or act", ""),
    # templates
    "template fact": (
        "- refill",
        '- refill\n      - notify: {channel: ops, message: "It lacks {{ ⟦order.remians }}"}',
        "remians",
        "remains",
    ),
    "template of a quantity": (
        "- refill",
        '- reorder: {quantity: "{{ ⟦order.remians }}"}',
        "remians",
        "remains",
    ),
    "template in a block": (
        "- refill",
        "- notify:\n          channel: ops\n          message: >-\n            Order {{ order.id }}\n"
        "            lacks {{ ⟦order.remians }}",
        "remians",
        "remains",
    ),
    "unquoted template": ("- refill", "- reorder: {quantity: ⟦{{ order.remains }}}", "in quotes", ""),
    "result before any action": (
        "- refill",
        '- notify: {channel: ops, message: "{{ ⟦result }}"}\n      - refill',
        'no fact "result"',
        "in steps after refill",
    ),
    "refusal outside otherwise": (
        "- refill",
        '- refill\n      - notify: {channel: ops, message: "{{ ⟦refusal }}"}',
        'no fact "refusal"',
        "known in `otherwise`",
    ),
    # the file
    "rules as a mapping": ("rules:\n  - name: one", "rules:\n  ⟦one:\n    name: one", "must be a list", ""),
    "unknown top key": ("rules:", "⟦rule: []\nrules:", 'Unknown key "rule"', '"rules"'),
    "tests as a mapping": ("rules:", "tests: ⟦{}\nrules:", "`tests` must be a list", ""),
    "rule that is a word": ("rules:\n", "rules:\n  - ⟦word\n", "must be a mapping", ""),
}

IN_BALANCE = {
    "refill of a balance": (
        "- notify",
        "- ⟦refill\n      - notify",
        "`refill` needs an order",
        "only notify",
    ),
    "order's fact": ("amount < 20", "⟦remains > 0", 'A balance has no fact "remains"', ""),
    "text for money": ("amount < 20", 'amount < ⟦"20"', "can't be compared", "without quotes"),
    "otherwise without acting": (
        "    do:",
        "    ⟦otherwise: [{log: {message: x}}]\n    do:",
        "`do` asks no panel",
        "",
    ),
    "chain of a balance": ("    do:", "    limit: {per_chain: ⟦2}\n    do:", "doesn't watch orders", ""),
    "unknown channel": ("channel: ops", "channel: ⟦opps", 'no channel "opps"', '"ops"'),
    "far channel": ("channel: ops", "channel: ⟦xyz", 'no channel "xyz"', "Configured are: hook, ops"),
    "webhook to apprise": (
        "notify: {channel: ops, message: low}",
        "webhook: {channel: ⟦ops}",
        "type apprise",
        "hook",
    ),
    "webhook with url": (
        "notify: {channel: ops, message: low}",
        'webhook: {channel: hook, ⟦url: "https://x"}',
        'Unknown key "url"',
        "live in the configuration",
    ),
    "notify with url": (
        "message: low",
        'message: low, ⟦url: "https://x"',
        'Unknown key "url"',
        "configuration",
    ),
    "no message": (", message: low", "", "The key `message` is missing", ""),
    "empty message": ("message: low", 'message: ⟦" "', "`message` must not be empty", ""),
    "number as a message": ("message: low", "message: ⟦5", "`message` must be text", '"5"'),
    "text instead of message": (
        "message: low",
        "message: low, ⟦text: low",
        'Unknown key "text"',
        'Did you mean "message"?',
    ),
    "lost indentation": (
        "notify: {channel: ops, message: low}",
        "⟦notify:\n        channel: ops\n        message: low",
        "must stand further right",
        "Indent",
    ),
    "level": (
        "notify: {channel: ops, message: low}",
        "log: {message: x, level: ⟦warn}",
        "`level`",
        '"warning"',
    ),
    "template fact": ("message: low", 'message: "{{ ⟦amout }}"', "amout", "amount"),
    "template title": ("message: low", 'message: low, title: "{{ ⟦amout }}"', "amout", "amount"),
    "template data": (
        "notify: {channel: ops, message: low}",
        'webhook: {channel: hook, data: {a: [{b: "{{ ⟦amout }}"}]}}',
        "amout",
        "amount",
    ),
}


def marked_or_not(tmp_path: Path, text: str, message: str, suggestion: str) -> None:
    if "⟦" in text:
        problem, position = marked_problem(tmp_path, text)
        assert problem.position == position
    else:
        (problem,) = problems(tmp_path, text)
    assert message in problem.message
    assert suggestion in problem.suggestion


@pytest.mark.parametrize(("sound", "broken", "message", "suggestion"), IN_ORDER.values(), ids=IN_ORDER)
def test_a_broken_order_rule(tmp_path: Path, sound: str, broken: str, message: str, suggestion: str) -> None:
    assert sound in ORDER
    text = ORDER.replace(sound, broken, 1)
    text = text.replace("    limit: {per_order: 1}\n", "") if "needs a `limit`" in message else text

    marked_or_not(tmp_path, text, message, suggestion)


@pytest.mark.parametrize(("sound", "broken", "message", "suggestion"), IN_BALANCE.values(), ids=IN_BALANCE)
def test_a_broken_balance_rule(
    tmp_path: Path, sound: str, broken: str, message: str, suggestion: str
) -> None:
    assert sound in BALANCE

    marked_or_not(tmp_path, BALANCE.replace(sound, broken, 1), message, suggestion)


def test_a_misspelt_status_and_fact_are_both_told(tmp_path: Path) -> None:
    text = ORDER.replace('status == "Partial"', 'status == "Partail" and remians > 0')

    first, second = problems(tmp_path, text)

    assert (first.position.line, first.position.column) == (4, 21)
    assert first.suggestion == 'Did you mean "Partial"?'
    assert (second.position.line, second.position.column) == (4, 35)
    assert second.suggestion == 'Did you mean "remains"?'


def test_one_fault_hides_no_other_in_a_rule(tmp_path: Path) -> None:
    text = """\
rules:
  - name: one
    watch: order
    whn: x
    when: remians > 0
    until: [remains == 0, stats == "Partial"]
    for: 10
    do:
      - refil
      - notify: {channel: opps, message: "{{ order.idd }}"}
      - refill: {x: 1}
"""

    places = [(found.position.line, found.position.column) for found in problems(tmp_path, text)]

    assert places == [(4, 5), (5, 11), (6, 27), (7, 10), (9, 9), (10, 27), (10, 46), (11, 18)]


def test_one_rule_hides_no_other(tmp_path: Path) -> None:
    rule = "  - name: {}\n    watch: order\n    when: remians > 0\n    do: [{{log: {{message: x}}}}]\n"
    text = "rules:\n" + rule.format("a") + "  - 5\n" + rule.format("b") + rule.format("A")

    assert [found.position.line for found in problems(tmp_path, text)] == [4, 6, 9, 11, 13]


def test_a_name_stands_once_over_all_rules(tmp_path: Path) -> None:
    text = BALANCE + BALANCE.removeprefix("rules:\n").replace("low", "LOW")

    (problem,) = problems(tmp_path, text)

    assert problem.message == (
        f'The rule name "LOW" is taken; it stands at {tmp_path / "rules.yaml"}:2:11 already'
    )
    assert (problem.position.line, problem.position.column) == (7, 11)
