"""`explain` names the true cause of every prepared case, and the page shows what it really says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.explanation.cases import CASES, Case
from tests.explanation.page import PAGE, answers, page


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_explain_names_the_true_cause(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text, shape = answers(case, tmp_path)
    found = json.loads(shape)
    assert found["cause"] == case.cause.value
    assert case.said in f"{found['summary']}. {found['change']}"
    assert case.said in text


def test_the_page_shows_what_explain_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert PAGE.read_text(encoding="utf-8") == page(tmp_path), (
        "write the page anew: python -m tests.explanation.page"
    )
