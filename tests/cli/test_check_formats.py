"""`check --format`: text for people, JSON for scripts, annotations for GitHub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smm_rules.cli.annotations import annotation
from smm_rules.document import Position, Problem, Severity
from tests.cli.command import BROKEN, LOW_BALANCE, said

Capture = pytest.CaptureFixture[str]
NEVER = LOW_BALANCE.replace("amount < 20", "amount < 20 and amount > 30")


def test_each_problem_is_an_annotation_at_its_line(here: Path, capsys: Capture) -> None:
    Path("refill.yaml").write_text(BROKEN, encoding="utf-8")
    told = said(capsys, "check", "refill.yaml", "--format", "github")
    assert told.out == (
        "::error file=refill.yaml,line=4,col=21,title=smm-rules::"
        'There is no order status "Partail". Did you mean "Partial"?\n'
        "::error file=refill.yaml,line=4,col=35,title=smm-rules::"
        'An order has no fact "remians". Did you mean "remains"?\n'
        "2 errors in 1 file; nothing was started.\n"
    )
    assert told.code == 3


def test_a_warning_is_an_annotation_and_no_failure(here: Path, capsys: Capture) -> None:
    Path("low.yaml").write_text(NEVER, encoding="utf-8")
    told = said(capsys, "check", "low.yaml", "--format", "github")
    assert told.out == (
        "::warning file=low.yaml,line=4,col=27,title=smm-rules::`amount > 30` and `amount < 20` can't both "
        "be true, so the rule never fires. Join them by `or`, if either of them is meant\n"
        "ok: 1 rule in 1 file, 1 warning\n"
    )
    assert told.code == 0


def test_json_has_two_names(here: Path, capsys: Capture) -> None:
    Path("low.yaml").write_text(NEVER, encoding="utf-8")
    by_format = said(capsys, "check", "low.yaml", "--format", "json").out
    assert by_format == said(capsys, "check", "low.yaml", "--json").out
    (problem,) = json.loads(by_format)["problems"]
    assert (problem["severity"], problem["line"], problem["column"]) == ("warning", 4, 27)


def test_an_annotation_can_not_be_broken_out_of() -> None:
    problem = Problem(Position(Path("a,b:c%.yaml"), 1, 2), "one\n::error::50%", "", Severity.WARNING)
    assert annotation(problem) == (
        "::warning file=a%2Cb%3Ac%25.yaml,line=1,col=2,title=smm-rules::one%0A::error::50%25"
    )
