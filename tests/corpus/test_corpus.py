"""Every broken rule file is told of at its exact place, in a sentence, with a way out where one is near."""

from __future__ import annotations

import pytest

from tests.corpus.corpus import BROKEN, Expected, expectations, problems, unclear

ALL = expectations()
each = pytest.mark.parametrize("expected", ALL, ids=lambda expected: expected.name)


def test_the_table_tells_of_every_file() -> None:
    assert {expected.name for expected in ALL} == {path.stem for path in BROKEN.glob("*")}
    assert len(ALL) >= 150


@each
def test_a_broken_file_is_told_of_at_its_place(expected: Expected) -> None:
    first, *others = problems(expected.path)

    assert (first.position.file, first.position.line, first.position.column) == (
        expected.path,
        expected.line,
        expected.column,
    )
    assert expected.says in first.message
    assert expected.suggests in first.suggestion
    assert len(others) == expected.more


@each
def test_a_broken_file_is_told_of_in_plain_words(expected: Expected) -> None:
    for problem in problems(expected.path):
        assert unclear(problem) == ""
        assert len(problem.message.split()) >= 3
        assert problem.message[0].isupper() or problem.message[0] in '`"'
        assert "\n" not in problem.message
        assert not problem.message.endswith(".")
