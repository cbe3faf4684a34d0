"""docs/security.md names only tests that exist, and names those of this directory that hold a threat."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def named() -> set[tuple[str, str]]:
    """The file and the test of every reference; `::name` alone belongs to the file named before it."""
    found, file = set(), ""
    for path, test in re.findall(r"`(tests/[\w/]+\.py)?::(\w+)`", PAGE):
        file = path or file
        found.add((file, test))
    return found


def test_every_named_test_exists() -> None:
    missing = [
        f"{file}::{test}"
        for file, test in sorted(named())
        if not re.search(rf"def {test}\(", (ROOT / file).read_text(encoding="utf-8"))
    ]
    assert missing == []
    assert len(named()) > 40


def test_every_party_has_its_part() -> None:
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    for party in (
        "author of a rule",
        "operator of a panel",
        "receiver",
        "user of the machine",
        "network",
        "ledger",
    ):
        assert any(party in heading for heading in headings), party


def test_every_file_of_these_tests_is_named() -> None:
    files = {path.name for path in Path(__file__).parent.glob("test_*.py")} - {Path(__file__).name}
    assert [name for name in sorted(files) if name not in PAGE] == []
