"""The page of promises names tests that exist, for each promise one at least."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
#: The sections of the page, and how many promises each makes.
SECTIONS = {
    "What bites users of other systems": 25,
    "How your money is kept safe": 7,
    "Whatever a panel answers": 21,
}


def rows(section: str) -> list[list[str]]:
    """The cells of each row of a section's table, without its head."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests in a file, read without running it."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_promise_is_there_and_held_by_a_test(section: str) -> None:
    promises = rows(section)
    assert len(promises) == SECTIONS[section]
    assert [cells[0] for cells in promises if len(cells) != 3 or not NAMED.search(cells[-1])] == []


def test_every_named_test_exists() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) >= sum(SECTIONS.values())
    missing = [
        f"{path}::{name}" for path, name in named if not (ROOT / path).is_file() or name not in names_in(path)
    ]
    assert missing == []


def test_the_rules_of_the_ledger_are_numbered() -> None:
    assert [cells[0] for cells in rows("How your money is kept safe")] == [str(n) for n in range(1, 8)]
