"""The cookbook: every recipe loads without a warning, passes its own tests, and is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from smm_rules.cookbook.index import page
from smm_rules.cookbook.recipes import recipes
from smm_rules.rehearsal.testing.files import gather_tests
from smm_rules.rules import load_rules
from tests.cli.command import said

ROOT = Path(__file__).parents[2]
COOKBOOK = ROOT / "smm_rules" / "cookbook"
FILES = sorted(COOKBOOK.glob("*.yaml"))
each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_each_file_is_a_recipe() -> None:
    assert list(recipes()) == [path.stem for path in FILES]


@each
def test_a_recipe_loads_without_a_warning_and_has_tests(path: Path) -> None:
    loaded = load_rules([path])

    assert loaded.warnings == ()
    assert [rule.name for rule in loaded.rules.rules] == [path.stem]
    assert loaded.rules.rules[0].description == recipes()[path.stem].description != ""
    assert len(loaded.tests) >= 1


def test_the_recipes_pass_their_own_tests_which_try_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, "test", "--fail-under", "100", str(COOKBOOK))
    assert told.code == 0
    assert [line for line in told.err.splitlines() if "error" in line] == []


@each
def test_a_recipe_has_a_case_that_is_left_alone(path: Path) -> None:
    tests = gather_tests([path]).tests
    assert any(all(not moment.expected for moment in test.moments) for test in tests)


@each
def test_a_recipe_can_be_given_another_name(path: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "mine.yaml"
    renamed.write_text(recipes()[path.stem].named("mine"), encoding="utf-8")

    assert [rule.name for rule in load_rules([renamed]).rules.rules] == ["mine"]
    assert f"{path.stem}: [" not in renamed.read_text("utf-8")
    assert "$schema" not in renamed.read_text("utf-8")


def test_the_page_lists_every_recipe() -> None:
    assert (ROOT / "docs" / "cookbook.md").read_text("utf-8") == page()
    assert all(f"[{name}]" in page() for name in recipes())
