"""Templates that only print facts are passed without Jinja2, and come out as Jinja2 would have them."""

from __future__ import annotations

import sys
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.facts import EntityKind, readable_fields
from smm_rules.rules import templates
from smm_rules.rules.template.plain import plain_names
from smm_rules.rules.templates import check_template, printed_names

NAMES = frozenset(readable_fields(EntityKind.ORDER))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Order {{ order.id }} lacks {{remains}}", (("order.id", 9), ("remains", 29))),
        ("{{\n  id\t}}{ {{ id }} }}", (("id", 5), ("id", 15))),
        ("no markup at all {", ()),
        ("{{ no.such.fact }}", (("no.such.fact", 3),)),
        ("{{ id | lower }}", None),
        ("{{ id + 1 }}", None),
        ("{{- id }}", None),
        ("{{ 'id' }}", None),
        ("{{ id", None),
        ("{{{ id }}}", None),
        ("{{ true }}", None),
        ("{{ order.not }}", None),
        ("{{ none }}", None),
        ("{% if id %}{{ id }}{% endif %}", None),
        ("{# {{ id }} #}", None),
        ("{{ id }}{%", None),
        ("{{ ïd }}", None),
        ("{{ id.0 }}", None),
        ("{{ id. status }}", None),
    ],
)
def test_names_of_a_plain_template(text: str, names: tuple[tuple[str, int], ...] | None) -> None:
    assert plain_names(text) == names


def test_a_plain_template_needs_no_jinja(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smm_rules.rules.template.jinja", None)
    assert check_template("Order {{ order.id }}: {{ remains }}", NAMES, EntityKind.ORDER) == ()
    assert printed_names("{{ remains }} {{ id }} {{ remains }}") == (("remains", 3), ("id", 17))


PIECES = st.sampled_from(
    [
        "text", " ", "\n", "{", "}", "}}", "{{", "{ {", "é", "'", '"',
        "{{ id }}", "{{remains}}", "{{ order.id }}", "{{\tstatus\n}}", "{{ service.name }}", "{{ nothing }}",
        "{{ order }}", "{{ true }}", "{{ not }}", "{{ id id }}",
        "{{ charge | money }}", "{{ status | money }}", "{{ start_count | default(0) }}",
        "{% if remains %}", "{% endif %}", "{#", "#}", "{{ id.status }}", "{%",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=6).map("".join))
@settings(max_examples=300, deadline=None)
def test_a_plain_template_is_judged_as_jinja_judges_it(text: str) -> None:
    judged = check_template(text, NAMES, EntityKind.ORDER), printed_names(text)
    with mock.patch.object(templates, "plain_names", return_value=None):
        assert (check_template(text, NAMES, EntityKind.ORDER), printed_names(text)) == judged
