"""`explain` names the true cause of every prepared case, and the page shows what it really says."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.explanation.cases import CASES, Case
from tests.explanation.page import PAGE, all_answers, page

Answers = Mapping[str, tuple[str, str]]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What `explain` says about every case."""
    return all_answers(tmp_path_factory.mktemp("cases"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_explain_names_the_true_cause(case: Case, found: Answers) -> None:
    text, written = found[case.name]
    shape = json.loads(written)
    assert shape["cause"] == case.cause.value
    assert case.said in f"{shape['summary']}; {shape['change']}"
    assert case.said.casefold() in text.casefold()


def test_the_page_shows_what_explain_says(found: Answers) -> None:
    expected = page(found)
    assert PAGE.read_text(encoding="utf-8") == expected, "write it anew: python -m tests.explanation.page"
