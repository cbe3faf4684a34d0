"""Texts with the expected place of a problem marked in them."""

from __future__ import annotations

MARK = "⟦"


def unmarked(text: str) -> tuple[str, int, int]:
    """The text without its mark, and the line and column of what follows the mark."""
    before, mark, after = text.partition(MARK)
    assert mark, "the text has no mark"
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return before + after, line, column
