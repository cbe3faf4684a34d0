"""What the other side of a channel says, fit to be kept in the ledger and shown."""

from __future__ import annotations

from smm_rules.panel.scalars import safe_text

_LONGEST_QUOTE = 200


def quoted_words(words: bytes | str) -> str:
    """A receiver's words on one short line, with nothing in it that a terminal or a mail program obeys."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return safe_text(" ".join(safe_text(text, 4 * _LONGEST_QUOTE).split()), _LONGEST_QUOTE)
