"""The author of a rule stays inside: no way from a condition or a template to Python, and no bomb."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.document import DocumentError
from smm_rules.document.problem import Position
from smm_rules.facts import EntityKind, Known
from smm_rules.rules.expression import compile_condition
from smm_rules.rules.templates import (
    LONGEST_OUTPUT,
    LONGEST_TEMPLATE,
    TemplateFailed,
    check_template,
    render,
    render_parameter,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AT = Position(Path("rules.yaml"), 1, 1)
MIB = 1024 * 1024
FACTS: dict[str, Known] = {
    "id": "7",
    "link": "https://x/" + "a" * 480,
    "remains": 10**14,
    "charge": Decimal(10) ** 15,
    "status": "Partial",
    "age": timedelta(days=3),
    "placed_at": NOW,
    "service.name": "Followers",
}

ESCAPING_TEMPLATES = [
    "{{ link.__class__ }}",
    "{{ link.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''.__class__ }}",
    "{{ ().__class__.__base__ }}",
    "{{ service.__init__.__globals__ }}",
    "{{ service._facts }}",
    "{{ service.__getattr__('name') }}",
    "{{ service }}",
    "{{ link.format }}",
    "{{ '{0.__class__}'.format(link) }}",
    "{{ '%s' % link }}",
    "{{ link | format(1) }}",
    "{{ link | attr('__class__') }}",
    "{{ [link] | map('upper') }}",
    "{{ link | _exact }}",
    "{{ link is callable }}",
    "{{ self }}",
    "{{ self.__init__ }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ lipsum.__globals__ }}",
    "{{ namespace(x=1) }}",
    "{{ range(9) }}",
    "{{ dict(a=1) }}",
    "{{ joiner() }}",
    "{{ nope.__class__ }}",
    "{{ environment }}",
    "{{ context }}",
    "{{ loop }}",
    "{{ caller() }}",
    "{{ link[0] }}",
    "{{ link['__class__'] }}",
    "{{ link[::-1] }}",
    "{{ {'a': 1} }}",
    "{{ link ~ link }}",
    "{{ 9 ** 9 ** 9 }}",
    "{% for letter in link %}{{ letter }}{% endfor %}",
    "{% set x = link %}",
    "{% macro m() %}{% endmacro %}{{ m() }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
    "{% filter upper %}x{% endfilter %}",
    "{% call x() %}{% endcall %}",
    "{% with x = 1 %}{% endwith %}",
    "{% autoescape true %}{% endautoescape %}",
    "{% do x %}",
    "{% trans %}{% endtrans %}",
    "{% debug %}",
]


@pytest.mark.parametrize("text", ESCAPING_TEMPLATES)
def test_a_template_that_reaches_for_python_is_refused(text: str) -> None:
    """When it loads, and again when it is rendered unchecked."""
    assert check_template(text, frozenset(FACTS), EntityKind.ORDER)
    for fill_in in (render, render_parameter):
        with pytest.raises(TemplateFailed):
            fill_in(text, FACTS, {})


ESCAPING_CONDITIONS = [
    "status.__class__ == 1",
    "__import__('os').system('id') == 0",
    "__builtins__ == 1",
    "(lambda: 0)() == 0",
    "(x := 1) > 0",
    "f'{remains}' == 'x'",
    "[r for r in link] == 1",
    "{1: 2} == 1",
    "link[0] == 'h'",
    "open('/etc/passwd') == 1",
    "getattr(link, 'x') == 1",
    "eval('1') == 1",
    "holds == 1",
    "decide(facts, now)",
    "facts == 1",
    "now > placed_at",
    "undecided",
    "unknown == 1",
    "constant0 == 1",
    "function_min == 1",
    "t0 == 1",
    "min.__self__ == 1",
    "remains ** 9 > 1",
    "remains // 9 > 1",
    "remains % 9 > 1",
    "remains @ 9 > 1",
    "remains << 9 > 1",
    "contains(link * 999999999, 'a')",
    "link + link == 'a'",
    "await remains",
    "yield remains",
    "remains if remains else remains",
    "*remains",
    "remains; import os",
    "remains\nimport os",
    "remains #",
    "ｒemains > 1",
    "remains > 1 \\\n",
    "'\\x41' == status",
    "b'x' == status",
    "remains > 1j",
    "... == 1",
]


@pytest.mark.parametrize("source", ESCAPING_CONDITIONS)
def test_a_condition_that_reaches_for_python_is_refused(source: str) -> None:
    with pytest.raises(DocumentError):
        compile_condition(source, EntityKind.ORDER, AT)


def test_a_condition_sees_no_builtins() -> None:
    condition = compile_condition("min(remains, 3) > 1 and known(link)", EntityKind.ORDER, AT)
    function = condition.holds
    assert function.__globals__["__builtins__"] == {}  # type: ignore[attr-defined]


def times(piece: str, around: tuple[str, str] = ("{{ ", " }}"), longest: int = LONGEST_TEMPLATE) -> str:
    """As often as fits."""
    room = longest - sum(map(len, around)) - 20
    return (
        piece * (room // len(piece))
        if not any(around)
        else around[0] + piece * (room // len(piece)) + around[1]
    )


BOMBS = {
    "replace": times(" | replace('a', 'aaaa')", ("{{ link", " }}")),
    "replace by much": times(f" | replace('a', '{'a' * 700}')", ("{{ link", " }}")),
    "capitals that grow": times(" | replace('a', 'ŉ') | upper", ("{{ link", " }}")),
    "a long sum of texts": times(" + link", ("{{ link", " }}")),
    "a product of decimals": times(" * 1e300", ("{{ 1e300", " }}")),
    "a product of tiny ones": times(" * 1e-300", ("{{ 1e-300", " }}")),
    "some of them as money": "{{ (1e300" + " * 1e300" * 90 + ") | money }}",
    "some of them with places": "{{ (1e300" + " * 1e300" * 90 + ") | number(12) }}",
    "some of them as a duration": "{{ (1e300" + " * 1e300" * 90 + ") | duration }}",
    "tiny ones in full": "{{ (1e-300" + " * 1e-300" * 90 + ") | number }}",
    "a product of integers": times(" * remains", ("{{ remains", " }}")),
    "a giant integer": "{{ " + "9" * 4000 + " * " + "9" * 50 + " }}",
    "a giant integer compared": "{% if " + "9" * 4000 + " > charge %}x{% endif %}",
    "a duration times much": "{{ age * 1e300 * 1e300 }}",
    "truncate": times(" | truncate(99999999999)", ("{{ link", " }}")),
    "parentheses": "{{ " + "(" * 2000 + "1" + ")" * 2000 + " }}",
    "signs": "{{ " + "-" * 4000 + "1 }}",
    "nots": times("not ", ("{% if ", "id %}x{% endif %}")),
    "nested ifs": "{% if id %}" * 180 + "x" + "{% endif %}" * 180,
    "elifs": times("{% elif id %}", ("{% if id %}", "{% endif %}")),
    "a chain of comparisons": times(" == id", ("{{ id", " }}")),
    "many facts": times("{{link}}", ("", "")),
    "infinity": "{{ 1e999 * 1e999 }}",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_in_a_template_is_small(text: str) -> None:
    assert len(text) <= LONGEST_TEMPLATE
    tracemalloc.start()
    try:
        check_template(text, frozenset(FACTS), EntityKind.ORDER)
        filled = render(text, FACTS, {})
    except TemplateFailed:
        filled = ""
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(filled) <= LONGEST_OUTPUT
    assert peak < 16 * MIB


CONDITION_BOMBS = {
    "both ways": " and ".join(f"(remains > {i} or charge > {i})" for i in range(100)),
    "a product": "remains" + " * 999999999999999999999999999999" * 15 + " > 3",
    "a duration times much": "age * 999999999999999999999999999999 * 999999999999999999999999999999 > 3d",
    "nested calls": "min(" * 18 + "remains" + ", 1)" * 18 + " > 0",
    "a chain": "0 < " + "remains < " * 350 + "5",
    "many values": "remains in (" + ", ".join(map(str, range(450))) + ")",
    "by zero": "remains / 0 / 0 > 1",
}


@pytest.mark.parametrize("source", CONDITION_BOMBS.values(), ids=CONDITION_BOMBS.keys())
def test_a_bomb_in_a_condition_is_small(source: str) -> None:
    tracemalloc.start()
    condition = compile_condition(source, EntityKind.ORDER, AT)
    held = condition.holds(FACTS, NOW)
    condition.trace(FACTS, NOW)
    condition.turns()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held in (True, False, None)
    assert peak < 16 * MIB
