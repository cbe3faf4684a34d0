"""Wrong conditions: each problem at its own column, in a sentence, with a way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.document.problem import DocumentError, Position
from smm_rules.facts import EntityKind, readable_fields
from smm_rules.rules.expression import FUNCTIONS, SourceText, compile_condition, compile_conditions

ORDER, REFILL, BALANCE = EntityKind.ORDER, EntityKind.REFILL, EntityKind.BALANCE
#: Far from 1, so that a column that forgets where the condition starts is seen.
AT = Position(Path("rules.yaml"), 7, 11)

Told = tuple[int, str, str]


def told(source: str, kind: EntityKind = ORDER) -> list[Told]:
    """The problems of a condition: offset in it, sentence, suggestion."""
    with pytest.raises(DocumentError) as caught:
        compile_condition(source, kind, AT)
    problems = caught.value.problems
    assert {(problem.position.file, problem.position.line) for problem in problems} == {(AT.file, AT.line)}
    return [
        (problem.position.column - AT.column, problem.message, problem.suggestion) for problem in problems
    ]


ONE_PROBLEM: list[tuple[str, int, str, str]] = [
    # Names
    ("remians > 0", 0, 'An order has no fact "remians"', 'Did you mean "remains"?'),
    ("service.refil", 0, 'An order has no fact "service.refil"', 'Did you mean "service.refill"?'),
    (
        "status == Partial",
        10,
        'An order has no fact "Partial"',
        'A text or a status stands in quotes: `"Partial"`',
    ),
    ("service.refill == yes", 18, 'An order has no fact "yes"', "Write `true`"),
    (
        "now - placed_at > 3d",
        0,
        'An order has no fact "now"',
        "Facts such as `age` tell how long ago something was: `age < 3d`",
    ),
    (
        "lenght(link) > 3",
        0,
        'There is no function "lenght"',
        f"The functions are {', '.join(FUNCTIONS)}",
    ),
    ('contain(link, "x")', 0, 'There is no function "contain"', 'Did you mean "contains"?'),
    # Statuses and other texts that can't be
    ('status == "Partail"', 10, 'There is no order status "Partail"', 'Did you mean "Partial"?'),
    (
        'status in ("Partial", "Cancled")',
        22,
        'There is no order status "Cancled"',
        'Did you mean "Canceled"?',
    ),
    (
        'lower(status) == "Partial"',
        17,
        '`lower(status)` has no capitals, so it never equals `"Partial"`',
        'Write `"partial"`',
    ),
    ('currency == "usd"', 12, 'There is no currency "usd"', 'Did you mean "USD"?'),
    # Types
    (
        'remains > "5"',
        10,
        '`remains` (a number) can\'t be compared with the text `"5"`',
        "Write `5` without quotes",
    ),
    (
        "id == 23501",
        6,
        "`id` (a text) can't be compared with the number `23501`",
        'Write `"23501"`, in quotes',
    ),
    (
        "age > 3",
        6,
        "`age` (a duration) can't be compared with the number `3`",
        "Write a duration like `3d`, `10m` or `1h30m`",
    ),
    ("remains > 3d", 10, "`remains` (a number) can't be compared with the duration `3d`", ""),
    (
        'placed_at < "2026"',
        12,
        '`placed_at` (a time) can\'t be compared with the text `"2026"`',
        "Compare how long ago it was, like `age < 3d`",
    ),
    (
        "service.refill == 1",
        18,
        "`service.refill` (true or false) can't be compared with the number `1`",
        "Write `true`",
    ),
    (
        'service.refill == "false"',
        18,
        '`service.refill` (true or false) can\'t be compared with the text `"false"`',
        "Write `false`, without quotes",
    ),
    ('link < "a"', 0, "`link` (a text) has no order, so `<` can't compare it", "Use `==` or `!=`"),
    (
        'status > "Partial"',
        0,
        "`status` (an order status) has no order, so `>` can't compare it",
        "Use `==` or `!=`",
    ),
    (
        "remains",
        0,
        "`remains` (a number) is neither true nor false",
        "Write a comparison, like `remains > 0`",
    ),
    ("not age", 4, "`age` (a duration) is neither true nor false", "Write a comparison, like `age > 3d`"),
    ("label", 0, "`label` (a text) is neither true nor false", 'Write a comparison, like `label != ""`'),
    ("5", 0, "The number `5` is neither true nor false", "Write a comparison, like `remains > 0`"),
    (
        'status == "Partial" or "Canceled"',
        23,
        'The text `"Canceled"` alone is neither true nor false',
        'Write `status in ("Partial", "Canceled")`',
    ),
    (
        "age + remains > 3d",
        0,
        "`remains` (a number) can't be added to `age` (a duration)",
        "Write a duration like `3d`, `10m` or `1h30m`",
    ),
    ("charge * charge > 3", 0, "`charge` (money) can't be multiplied by `charge` (money)", ""),
    ("-status == link", 0, "`status` (an order status) can't have a minus before it", ""),
    # Money
    ("charge > 20 usd", 9, "A currency is written in capitals", "Write `20 USD`"),
    ("charge > 20 UDS", 12, 'There is no currency "UDS"', 'Did you mean "USD"?'),
    ("charge > $20", 9, "`$` isn't a currency", "Write money like `20 USD`"),
    (
        "charge + 5 EUR > 20 USD",
        17,
        "`5 EUR` and `20 USD` are in different currencies",
        "A rule can't change money; write both in one",
    ),
    (
        "remains > 20 USD",
        10,
        "`20 USD` is compared with nothing that is in a currency",
        "Write the number without a currency",
    ),
    # Numbers and durations
    ("age > 3days", 6, '"3days" is not a duration', "Write it like 30s, 10m, 1h30m, 3d or 2w"),
    ("remains > 007", 10, "The number 007 starts with a zero", 'Write `7`, or `"007"` for a text'),
    ("remains > 1,000", 11, "A number has no comma", "Write `1000`"),
    ("remains > 1,5", 11, "A number has no comma", "Write `1.5`"),
    (f"remains > {'9' * 31}", 10, "The number is longer than 30 digits", ""),
    (
        "progress < 50 %",
        14,
        "`%` isn't part of the condition language",
        "Write a percentage as `10%`, without a space",
    ),
    # Lists
    (
        'status in "Partial"',
        10,
        'After `in` comes a list, not `"Partial"`',
        'Write `("Partial")`, or compare with `==`',
    ),
    ('"x" in link', 7, "After `in` comes a list, not `link`", 'Write `contains(link, "x")`'),
    ("status in ()", 10, "The list is empty", 'Write it like `status in ("Partial", "Canceled")`'),
    ("remains in (quantity, 1)", 12, "A list holds plain values, not `quantity`", "Join comparisons by `or`"),
    ("remains in (1, 3d)", 15, "`remains` (a number) can't be in a list with the duration `3d`", ""),
    (
        "(1, 2) == remains",
        0,
        "A list can only stand after `in`",
        'Write it like `status in ("Partial", "Canceled")`',
    ),
    ("0 < remains in (1, 2)", 0, "`in` can't be chained with other comparisons", "Join them by `and`"),
    # Calls
    ("known(5)", 0, "`known` takes one fact", "Write it like `known(start_count)`"),
    (
        "min(remains) > 1",
        0,
        "`min` takes two values or more, not 1",
        "Write it like `min(remains, service.max) > 100`",
    ),
    ("max(remains, age) > 1", 13, "`max` can't compare `remains` (a number) with `age` (a duration)", ""),
    (
        "contains(link, 5)",
        15,
        "`contains` takes a text, an order status or a refill status, not the number `5`",
        'Write it like `contains(link, "instagram.com")`',
    ),
    ('link contains "x"', 5, "`contains` is a function", 'Write it like `contains(link, "instagram.com")`'),
    # Spelling
    ('status = "Partial"', 7, "`=` doesn't compare", "Use `==` to compare"),
    ('status === "Partial"', 7, "`===` doesn't compare", "Use `==` to compare"),
    ('status is "Partial"', 7, "`is` doesn't compare values", "Use `==` to compare"),
    ('status is not "Partial"', 7, "`is` doesn't compare values", "Use `!=` to compare"),
    ("remains <> 0", 8, "`<>` isn't part of the condition language", "Write `!=`"),
    ("remains => 0", 8, "`=>` isn't part of the condition language", "Write `>=`"),
    ("remains ≥ 0", 8, "`≥` isn't part of the condition language", "Write `>=`"),
    ("remains > 0 && status_known", 12, "`&&` isn't part of the condition language", "Write `and`"),
    ("remains > 0 || status_known", 12, "`||` isn't part of the condition language", "Write `or`"),
    ("!status_known", 0, "`!` isn't part of the condition language", "Write `not`"),
    ("remains > 0 AND status_known", 12, "`AND` must be in small letters", "Write `and`"),
    ("service.refill == TRUE", 18, "`TRUE` must be in small letters", "Write `true`"),
    ("status == “Partial”", 10, "Curly quotes don't enclose a text", 'Use straight ones: `"`'),
    (
        "start_count == null",
        15,
        "`null` isn't a value: a comparison with an unknown fact is itself unknown",
        "To ask whether a fact is known, write `known(start_count)`",
    ),
    ("remains ** 2 > 4", 8, "`**` isn't part of the condition language", "Write the multiplication out"),
    ("remains // 2 > 4", 8, "`//` isn't part of the condition language", "Divide with `/`"),
    (
        "remains > 0 # left",
        12,
        "A comment can't stand in a condition",
        "Put it on a line of its own, outside of it",
    ),
    ("service.refill := true", 15, "`:=` doesn't compare", "Use `==` to compare"),
    (
        "{{ remains > 0 }}",
        0,
        "A condition needs no `{{ }}`: it reads facts by their plain names",
        "Leave it out",
    ),
    (r'label == "a\d"', 9, r"The text holds \d, which means nothing here", r"Write a backslash as `\\`"),
    # Sentences
    ("", 0, "The condition is empty", 'Write one like `status == "Partial"`'),
    ("remains >", 8, "The condition ends with `>`", "Put a value after it"),
    ("> 5", 0, "The condition starts with `>`", "Put a value before it"),
    ("remains > and status_known", 10, "A value is missing between `>` and `and`", ""),
    (
        "status_known service.refill",
        13,
        "Something is missing between `status_known` and `service.refill`",
        "Put a comparison such as `==` or a word such as `and` between them",
    ),
    ("(remains > 0", 0, "This `(` is never closed", "Close it with `)`"),
    ("remains > 0)", 11, "This `)` closes nothing", "Leave it out"),
    ("remains in (1, 2]", 16, "This `]` closes a bracket of the other shape", ""),
    ('status == "Partial', 10, "The text that starts here is never closed", 'End it with `"`'),
    ("status_known == not true", 16, "`not` can't follow `==`", "Put parentheses around `not` and its value"),
    ('status in not ("Partial")', 10, "`in not` must be written the other way round", "Write `not in`"),
    ("remains > +5", 10, "A `+` needs a value before it", "Leave it out"),
    (
        "remains > 0, status_known",
        11,
        "A comma doesn't join conditions",
        "Write `and`, or put a list in parentheses",
    ),
    ('label[0] == "a"', 5, "`label` has no parts to pick with `[ ]`", "Leave the brackets out"),
]


@pytest.mark.parametrize(
    ("source", "offset", "message", "suggestion"), ONE_PROBLEM, ids=[row[0] for row in ONE_PROBLEM]
)
def test_a_wrong_condition_is_told_in_one_sentence(
    source: str, offset: int, message: str, suggestion: str
) -> None:
    assert told(source) == [(offset, message, suggestion)]


def test_the_table_is_large_enough_to_mean_something() -> None:
    assert len(ONE_PROBLEM) >= 50


def test_every_problem_of_a_condition_is_told_in_one_run() -> None:
    assert told('status = "Partail" && remians > "5" and age > 3') == [
        (7, "`=` doesn't compare", "Use `==` to compare"),
        (9, 'There is no order status "Partail"', 'Did you mean "Partial"?'),
        (19, "`&&` isn't part of the condition language", "Write `and`"),
        (22, 'An order has no fact "remians"', 'Did you mean "remains"?'),
        (
            46,
            "`age` (a duration) can't be compared with the number `3`",
            "Write a duration like `3d`, `10m` or `1h30m`",
        ),
    ]


def test_names_are_checked_even_where_the_sentence_is_broken() -> None:
    assert [problem[:2] for problem in told("(remians > 0 and statsu")] == [
        (0, "This `(` is never closed"),
        (1, 'An order has no fact "remians"'),
        (17, 'An order has no fact "statsu"'),
    ]


def test_a_refill_has_its_own_statuses() -> None:
    assert told('status == "Partial"', REFILL)[0][:2] == (10, 'There is no refill status "Partial"')


def test_a_fact_of_something_else_is_not_readable() -> None:
    assert told("remains > 0", BALANCE)[0][:2] == (0, 'A balance has no fact "remains"')


def test_places_come_from_the_caller_where_lines_matter() -> None:
    source = "remians > 0\nand statsu_known"
    with pytest.raises(DocumentError) as caught:
        compile_condition(source, ORDER, AT, lambda offset: Position(AT.file, 100 + offset, 1))
    assert [problem.position.line for problem in caught.value.problems] == [100, 116]


def test_lines_are_counted_where_the_caller_says_nothing() -> None:
    with pytest.raises(DocumentError) as caught:
        compile_condition("remians > 0\n  and statsu_known", ORDER, AT)
    assert [(p.position.line, p.position.column) for p in caught.value.problems] == [(7, 11), (8, 7)]


def test_a_text_of_other_letters_does_not_shift_columns() -> None:
    assert told('label == "日本語 é" and remians > 0')[0][0] == 21


def test_the_problems_of_all_clauses_are_told_together() -> None:
    second = Position(AT.file, 8, 11)
    with pytest.raises(DocumentError) as caught:
        compile_conditions((SourceText("remians > 0", AT), SourceText("statsu_known", second)), ORDER)
    assert [problem.position for problem in caught.value.problems] == [AT, second]


def test_a_condition_is_bounded_in_length_parts_and_depth() -> None:
    assert told("x" * 4001)[0][1] == "The condition is longer than 4000 characters"
    assert told("1+" * 1100 + "1 > 0")[-1][1] == "The condition has more than 1000 parts"
    assert told("(" * 25 + "1" + ")" * 25 + " > 0")[0][1] == "More than 19 brackets within each other"
    assert told("-" * 25 + "1 > 0")[0][1] == "More than 19 signs in a row"
    assert told("1" + "+1" * 100 + " > 0")[0][1] == "The condition is nested too deeply"


PIECES = st.sampled_from(
    (
        *readable_fields(ORDER),
        *FUNCTIONS,
        *("and", "or", "not", "in", "is", "if", "lambda", "None", "true", "x", "_"),
        *("==", "!=", "<=", ">=", "**", "//", ":=", "3d", "10%", "1_000", "0.5"),
        *"()[]{},+-*/<>=!&|%.:;#$\"'\\`~^@?€“”\n\t é\0🙂",
        "20 USD",
        '"Partial"',
    )
)
SOURCES = st.lists(PIECES, max_size=25).map(" ".join) | st.lists(PIECES, max_size=25).map("".join) | st.text()


def columns_of_problems(source: str) -> set[int]:
    try:
        compile_condition(source, ORDER, AT)
    except DocumentError as error:
        return {problem.position.column for problem in error.problems}
    return set()


@given(SOURCES)
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_condition_or_a_document_error_within_it(source: str) -> None:
    columns = {AT.column + offset for offset in range(max(len(source), 1))}
    assert columns_of_problems(source.replace("\n", " ")) <= columns


@pytest.mark.parametrize("seed", ["(", "[", "(-", "not (", "min(", "1 <", "in (", "a.b "])
def test_a_long_nonsense_is_refused_quickly(seed: str) -> None:
    with pytest.raises(DocumentError):
        compile_condition(seed * 500, ORDER, AT)
