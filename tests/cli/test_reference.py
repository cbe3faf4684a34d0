"""docs/commands.md is what the command line says of itself."""

from __future__ import annotations

from pathlib import Path

from smm_rules.cli.app import COMMANDS
from smm_rules.cli.reference import page

DOCUMENT = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_page_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == page(), (
        "run python -m smm_rules.cli.reference > docs/commands.md"
    )


def test_every_command_and_those_below_it_have_a_heading() -> None:
    headings = [line.lstrip("#") for line in page().splitlines() if line.startswith("#")]
    assert [name for name in COMMANDS if f" `{name}`" not in headings] == []
    assert " `intents resolve`" in headings
