"""Inhibitions that could keep each other's alerts back are found."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.config.alerts import AlertSettings
from smm_rules.config.inhibition import overlap


def inhibit(source: str, target: str, **more: object) -> dict[str, object]:
    """`rule=a level=error` on both sides."""
    sides = [dict(label.split("=") for label in side.split()) for side in (source, target)]
    return {"if": sides[0], "silences": sides[1], **more}


@pytest.mark.parametrize(
    ("inhibits", "circular"),
    [
        ([], set()),
        ([inhibit("rule=panel-down", "kind=order")], set()),
        ([inhibit("panel=main", "panel=main")], set()),
        ([inhibit("rule=a", "rule=b"), inhibit("rule=b", "rule=a")], {0, 1}),
        ([inhibit("rule=down", "kind=order"), inhibit("kind=order level=error", "panel=main")], {0, 1}),
        ([inhibit("level=error", "level=warning"), inhibit("level=warning", "level=info")], set()),
        ([inhibit("rule=a", "rule=b"), inhibit("rule=b", "rule=a?")], set()),
        (
            [
                inhibit("rule=a", "rule=b"),
                inhibit("rule=x", "rule=y"),
                inhibit("rule=b", "rule=c"),
                inhibit("rule=c", "rule=a*"),
                inhibit("rule=z", "rule=a"),
            ],
            {0, 2, 3},
        ),
        ([inhibit("rule=a panel=p1", "rule=b"), inhibit("rule=b panel=p2", "rule=a")], set()),
        (
            [inhibit("rule=a panel=p1", "rule=b", equal=[]), inhibit("rule=b panel=p2", "rule=a", equal=[])],
            {0, 1},
        ),
    ],
)
def test_those_on_a_way_back_are_found(inhibits: list[dict[str, object]], circular: set[int]) -> None:
    assert AlertSettings.model_validate({"inhibit": inhibits}).circular == circular


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a", "a", True), ("a", "b", False), ("a*", "ab", True), ("a*", "*b", True), ("a*", "b*", False),
        ("*", "", True), ("?", "", False), ("a?c", "abc", True), ("a?", "a", False), ("[ab]x", "bx", True),
        ("[ab", "[ab", True), ("late-*-x", "late-y", False), ("*a*", "b*c", True), ("a**", "*", True),
    ],
)  # fmt: skip
def test_patterns_overlap_when_a_text_matches_both(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


PATTERNS = st.text("ab*?", max_size=6)


@given(PATTERNS, PATTERNS, st.text("ab", max_size=6))
def test_no_text_matches_two_patterns_that_do_not_overlap(one: str, other: str, text: str) -> None:
    if fnmatchcase(text, one) and fnmatchcase(text, other):
        assert overlap(one, other)
