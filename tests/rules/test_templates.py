"""Templates: what they print, and what is said of wrong ones before anything is sent."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.facts import Entity, EntityKind, Known, readable_fields
from smm_rules.rules.template.filters import FILTERS
from smm_rules.rules.templates import (
    LONGEST_OUTPUT,
    LONGEST_TEMPLATE,
    TemplateFailed,
    check_template,
    is_template,
    plain_fallback,
    render,
    render_parameter,
)

FACTS: dict[str, Known] = {
    "id": "23501",
    "status": "Partial",
    "remains": 157,
    "charge": Decimal("0.27819"),
    "progress": Decimal("0.155"),
    "age": timedelta(hours=26),
    "placed_at": datetime(2026, 1, 2, 5, 4, 5, 678, timezone(timedelta(hours=2))),
    "label": "",
    "link": "https://example.com/p/1",
    "order.id": "23501",
    "order.remains": 157,
    "service.name": "Followers",
    "service.refill": True,
    "panel.name": "main",
}
EXTRA: dict[str, object] = {"rule.name": "refill-partial", "result": "77"}
NAMES = frozenset(readable_fields(EntityKind.ORDER)) | set(EXTRA)


def rendered(text: str) -> str:
    return render(text, FACTS, EXTRA)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain % { text", "plain % { text"),
        ("Order {{ order.id }}: {{ order.remains }} missing", "Order 23501: 157 missing"),
        ("{{ rule.name }} on {{ panel.name }}: {{ result }}", "refill-partial on main: 77"),
        ("{{ charge }} {{ charge | money }} {{ charge | money(2) }}", "0.27819 0.27819 0.28"),
        ("{{ 20 | money }} {{ 0.5 | money }} {{ 1.50 | number }}", "20.00 0.50 1.5"),
        ("{{ progress | percent }} {{ progress | percent(1) }}", "16% 15.5%"),
        ("{{ progress | number(2) }}", "0.16"),
        ("{{ age }} {{ age | duration }} {{ 90 | duration }}", "1d2h 1d2h 1m30s"),
        ("{{ placed_at }}", "2026-01-02T03:04:05Z"),
        ("{{ service.refill }}", "true"),
        ("{{ 0.00000001 * 1 }}", "0.00000001"),
        ("{{ 0.1 + 0.2 }} {{ remains / 2 }} {{ remains * 1.1 }}", "0.3 78.5 172.7"),
        ("{{ placed_at + age }} {{ -remains }}", "2026-01-03T05:04:05Z -157"),
        ("{{ remains > 156.5 }}", "true"),
        ("{% if remains > 100 %}many{% elif remains %}some{% else %}none{% endif %}", "many"),
        ('{{ "x" if status in ["Partial", "Canceled"] else "y" }}', "x"),
        ('{{ start_count | default("?") }} {{ label | default("-") }}', "? -"),
        ("{% if start_count is known %}a{% else %}b{% endif %}", "b"),
        ("{{ status | upper }} {{ service.name | lower }}", "PARTIAL followers"),
        ('{{ link | replace("https://", "") | truncate(9) }}', "example.…"),
        ('{{ "  a " | trim }}', "a"),
        ("{# a note #}a{% raw %}{{ x }}{% endraw %}\n", "a{{ x }}\n"),
        ("<b>&{{ service.name }}", "<b>&Followers"),
    ],
)
def test_what_a_template_prints(template: str, expected: str) -> None:
    assert check_template(template, NAMES, EntityKind.ORDER) == ()
    assert rendered(template) == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ start_count }}", "`start_count` is not known"),
        ("{{ order.start_count }}", "`order.start_count` is not known"),
        ("{{ balance.amount }}", "`balance` is not known"),
        ("{{ start_count | money }}", "`start_count` is not known"),
        ("{{ start_count + 1 }}", "`start_count` is not known"),
        ("{{ -start_count }}", "`start_count` is not known"),
        ("{% if start_count > 3 %}a{% endif %}", "`start_count` is not known"),
        ("{{ label | default(start_count) }}", "`start_count` is not known"),
        ("{{ remains / (remains - 157) }}", "`/` has no result with these values"),
        ("{{ order }}", "The template prints something that isn't a plain value"),
        ("{{ placed_at + 9999999 * age }}", "`+` has no result with these values"),
    ],
)
def test_a_template_that_can_not_be_filled_in_fails_in_words(template: str, message: str) -> None:
    with pytest.raises(TemplateFailed) as caught:
        rendered(template)
    assert str(caught.value) == message


#: template, offset, sentence, suggestion
WRONG: list[tuple[str, int, str, str]] = [
    ("Left: {{ remians }}", 9, 'There is no fact "remians" here', 'Did you mean "remains"?'),
    ("a\n{{ status }} {{ order.idd }}", 18, 'There is no fact "order.idd" here', 'Did you mean "order.id"?'),
    ("{{ panel }}", 3, "`panel` is not one value", "Write one of its facts, like panel.catalogue_age"),
    ("{{ remains | mony }}", 13, 'There is no filter "mony"', 'Did you mean "money"?'),
    (
        "{{ remains | money(1, 2) }}",
        13,
        "The filter `money` doesn't take these values",
        "Write it like {{ amount | money }}",
    ),
    (
        "{{ link | truncate(length=3) }}",
        10,
        "The filter `truncate` doesn't take these values",
        "Write it like {{ link | truncate(40) }}",
    ),
    ("{{ remains is odd }}", 14, 'There is no test "odd"', "Ask `is known`, or compare with =="),
    ("{{ status.upper() }}", 3, 'There is no fact "status.upper" here', 'Did you mean "status"?'),
    (
        "{% for x in status %}{% endfor %}",
        3,
        "`for` isn't part of the template language",
        "Facts are single values; print them one by one",
    ),
    (
        "{% set remains = 1 %}",
        3,
        "`set` isn't part of the template language",
        "Print the value where it is needed",
    ),
    (
        '{% include "x" %}',
        3,
        "`include` isn't part of the template language",
        "Only `if`, `elif` and `else` are",
    ),
    (
        '{% extends "x" %}',
        3,
        "`extends` isn't part of the template language",
        "Only `if`, `elif` and `else` are",
    ),
    (
        '{% import "x" as y %}',
        3,
        "`import` isn't part of the template language",
        "Only `if`, `elif` and `else` are",
    ),
    (
        "{% macro f() %}{% endmacro %}",
        3,
        "`macro` isn't part of the template language",
        "Only `if`, `elif` and `else` are",
    ),
    ("{% foo %}", 3, "`foo` isn't part of the template language", "Only `if`, `elif` and `else` are"),
    ("{{ remains ** 9 }}", 11, "`**` isn't part of the template language", ""),
    ("{{ remains // 9 }}", 11, "`//` isn't part of the template language", "Divide with /"),
    (
        "{{ id ~ id }}",
        6,
        "`~` isn't part of the template language",
        "Print the parts one after the other: {{ a }}{{ b }}",
    ),
    ("{{ id[0] }}", 5, "`[` isn't part of the template language", "Write a fact as order.id"),
    ('{{ "x".y }}', 6, "`.` isn't part of the template language", "Write a fact as order.id"),
    ('a {{ "x" if remains }}', 2, "An `if` within a value needs an `else`", 'Add else ""'),
    ("a {{ none }}", 2, "There is no `none` in a template", "Ask `is known`"),
    ("a {{ [1, 2] }}", 2, "A list can only stand after `in`", "Write its values one by one"),
    ("a {{ remains", 2, "A tag is never closed", "Close {{ with }} and {% if %} with {% endif %}"),
    ("a {{ remains }", 2, "A tag isn't closed in the way it was opened", "Close {{ with }} and {% with %}"),
    ("a {% if remains %}", 2, "A tag is never closed", "Close {{ with }} and {% if %} with {% endif %}"),
    ("a {# never", 2, "A comment or raw part is never closed", "Close {# with #}"),
    ("a {{ }}", 2, "There is nothing to print in {{ }}", "Write a fact in it, like {{ status }}"),
    ("{{ remains status }}", 11, "Something is missing before `status`", "Print one value in each {{ }}"),
    ("{{ remains ! 3 }}", 11, "The template can't be read: unexpected char '!'", ""),
    # What only kinds of values can tell
    ("{{ remains }} {{ status | money }}", 17, '`money` takes a number, not "Partial"', ""),
    ("{{ remains }} {{ status > 3 }}", 17, "The template compares values of different kinds", ""),
    ("{{ age + 3 }}", 3, "`+` can't be done with a duration and a number", ""),
    ('{{ "ab" * 3 }}', 0, "`*` can't be done with a text and a number", ""),
    ("{% if status < 3 %}a{% endif %}", 6, "The template compares values of different kinds", ""),
]


@pytest.mark.parametrize(
    ("template", "offset", "message", "suggestion"), WRONG, ids=[row[0] for row in WRONG]
)
def test_a_wrong_template_is_told_at_its_place(
    template: str, offset: int, message: str, suggestion: str
) -> None:
    problem = check_template(template, NAMES, EntityKind.ORDER)[0]
    assert (problem.offset, problem.message, problem.suggestion) == (offset, message, suggestion)


def test_every_unknown_name_has_its_own_place() -> None:
    problems = check_template("{{ a }}\n{{ remains }}\n{{ b.c }} {{ a }}", NAMES)
    assert [problem.offset for problem in problems] == [3, 25, 35]


def test_a_template_is_bounded() -> None:
    assert check_template("{{ id }}" + "x" * LONGEST_TEMPLATE, NAMES)[0].offset == LONGEST_TEMPLATE
    assert check_template("{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}", NAMES) != ()


def test_the_output_is_bounded() -> None:
    with pytest.raises(TemplateFailed, match=f"more than {LONGEST_OUTPUT} characters"):
        render("{{ link }}" * 9, {"link": "x" * 1000}, {})
    with pytest.raises(TemplateFailed, match=f"more than {LONGEST_OUTPUT} characters"):
        render('{{ link | replace("x", "' + "y" * 2000 + '") }}', {"link": "x" * 1000}, {})
    with pytest.raises(TemplateFailed, match=f"more than {LONGEST_OUTPUT} characters"):
        render("{{ link + link + link == id }}", {"link": "x" * 4000, "id": ""}, {})
    with pytest.raises(TemplateFailed, match=f"more than {LONGEST_OUTPUT} characters"):
        render("x" * (LONGEST_OUTPUT + 1), {}, {})


def test_a_product_does_not_grow_without_bound() -> None:
    nines = "9" * 300
    product = rendered("{{ " + " * ".join([nines] * 12) + " }}")
    assert len(product) < LONGEST_OUTPUT


ESCAPES = [
    "''.__class__.__mro__[1].__subclasses__()",
    "cycler.__init__.__globals__.os.popen('id').read()",
    "lipsum.__globals__['os']",
    "self.__init__.__globals__",
    "self._TemplateReference__context",
    "joiner.__init__",
    "namespace.__init__",
    "range(10)",
    "dict(a=1)",
    "status.__class__",
    "status.format",
    "status.format_map",
    "order.__class__",
    "order._facts",
    "order._name",
    "order.__getattr__",
    "placed_at.__reduce__",
    "remains.__add__",
    "request.application",
    "config",
    "''|attr('__class__')",
    "[]|map('upper')",
    "x.__init__",
    "get_flashed_messages.__globals__",
    "(status|upper).__class__",
    "caller()",
    "super()",
    "true.__class__",
    "1.0.__class__",
    "status['__class__']",
    "'%s' % status",
    "status is sameas status",
    "0.5 | _exact",
]


@pytest.mark.parametrize("expression", ESCAPES)
def test_the_sandbox_has_no_way_out(expression: str) -> None:
    template = f"{{{{ {expression} }}}}"
    assert check_template(template, NAMES) != ()
    with pytest.raises(TemplateFailed):
        rendered(template)


@pytest.mark.parametrize("filter_name", FILTERS)
def test_every_example_of_the_table_of_filters_is_right(filter_name: str) -> None:
    example = FILTERS[filter_name].example
    kind = EntityKind.BALANCE if "amount" in example else EntityKind.ORDER
    assert check_template(example, frozenset(readable_fields(kind)), kind) == ()


PIECES = st.sampled_from(
    (
        *(
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            "{{-",
            "-%}",
            "if",
            "endif",
            "else",
            "for",
            "in",
            "is",
            "known",
        ),
        *(
            "remains",
            "status",
            "order.id",
            "start_count",
            "age",
            "placed_at",
            "__class__",
            "self",
            "none",
            "true",
        ),
        *FILTERS,
        *"|.+-*/()[]{},<>=!~%&\"' \n\\é",
        *("**", "//", "==", "0.5", "157", '"text"', "9" * 50),
    )
)
VALUES = st.lists(PIECES, max_size=8).map(" ".join).map("{{{{ {} }}}}".format)
TEXTS = st.lists(PIECES, max_size=25).map(" ".join) | st.lists(VALUES, max_size=3).map("".join) | st.text()


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_nothing_but_template_failed_ever_comes_out(text: str) -> None:
    problems = check_template(text, NAMES, EntityKind.ORDER)
    assert all(problem.message and 0 <= problem.offset <= len(text) for problem in problems)
    try:
        result = rendered(text)
    except TemplateFailed as failure:
        result = str(failure)
    assert result or not text.strip() or is_template(text)


KNOWN = st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text()


@given(st.sampled_from(list(FILTERS)), KNOWN, st.lists(KNOWN, max_size=2))
@settings(max_examples=200, deadline=None)
def test_filters_never_raise_anything_else(name: str, value: Known, arguments: list[Known]) -> None:
    facts = {"value": value} | {f"a{index}": argument for index, argument in enumerate(arguments)}
    given_names = ", ".join(list(facts)[1:])
    try:
        text = render(f"{{{{ value | {name}({given_names}) }}}}", facts, {})
    except TemplateFailed as failure:
        text = str(failure)
    assert isinstance(text, str)


def test_a_parameter_is_never_empty_padded_or_missing() -> None:
    assert render_parameter("{{ remains }}", FACTS, EXTRA) == "157"
    assert render_parameter("nice!\ngreat!\n", FACTS, EXTRA) == "nice!\ngreat!"
    for wrong in (
        "",
        "  ",
        "{{ label }}",
        "{{ remains }} ",
        " 5",
        "None",
        '{{ "unknown" }}',
        "{{ start_count }}",
    ):
        with pytest.raises(TemplateFailed):
            render_parameter(wrong, FACTS, EXTRA)


def test_a_long_list_of_comments_is_a_parameter() -> None:
    comments = "\n".join(["good"] * 5000)
    assert render_parameter(comments, FACTS, EXTRA) == comments


def test_the_plain_text_tells_the_main_facts() -> None:
    order = Entity(EntityKind.ORDER, "main", "23501")
    assert plain_fallback("refill-partial", order, FACTS) == (
        "refill-partial: order 23501 on panel main (status Partial, remains 157, charge 0.27819)"
    )
    assert plain_fallback("low", Entity(EntityKind.BALANCE, "main"), {}) == "low: balance of main"
    long = plain_fallback("down", Entity(EntityKind.PANEL, "main"), {"last_error": "x" * 500})
    assert len(long) < 300
