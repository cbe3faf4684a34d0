"""Every value, key and character of a document has its place in the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.document import Position, read_text

FILE = Path("file.yaml")
NESTED = """\
rules:
  - name: one
    do:
      - refill:
      - notify: {channel: ops, message: "héllo"}
    limit: &limit {per_order: 3}
  - name: two
    limit: *limit
"""


@pytest.mark.parametrize(
    ("trail", "key", "value"),
    [
        ((), (1, 1), (1, 1)),
        (("rules",), (1, 1), (2, 3)),
        (("rules", 0), (2, 5), (2, 5)),
        (("rules", 0, "name"), (2, 5), (2, 11)),
        (("rules", 0, "do", 0, "refill"), (4, 9), (4, 9)),
        (("rules", 0, "do", 1, "notify", "message"), (5, 32), (5, 41)),
        (("rules", 1, "limit"), (8, 5), (6, 12)),
        (("rules", 1, "limit", "per_order"), (6, 20), (6, 31)),
        (("rules", 0, "gone", "deeper"), (2, 5), (2, 5)),
    ],
)
def test_keys_and_values_have_their_places(
    trail: tuple[str | int, ...], key: tuple[int, int], value: tuple[int, int]
) -> None:
    document = read_text(NESTED, FILE)

    assert document.key_position(trail) == Position(FILE, *key)
    assert document.position(trail) == Position(FILE, *value)


TEXTS = """\
plain: status == 1
folded plain: status
  == 1
  and  x

  or y
single: 'it''s a "b"'
double: "say \\"hi\\" \\u00e9 \\x41z"
long double: "one
  two

  three"
literal: |
  status == "é"
    and x

  or y
literal stripped: |-
  abc
kept: |+
  abc

indented: |2
    abc
folded: >
  one
  two

  three
   more
  four
folded stripped: >-

  one
  two
anchored: &a  text
emoji: 😀 after
"""


@pytest.mark.parametrize("key", list(read_text(TEXTS, FILE).value or {}))
def test_every_character_of_a_text_is_found_again(key: str) -> None:
    document = read_text(TEXTS, FILE)
    value = document.at((key,))
    lines = TEXTS.split("\n")
    assert isinstance(value, str)

    for offset, character in enumerate(value):
        position = document.within((key,), offset)
        there = lines[position.line - 1][position.column - 1 :]
        if character in "\n ":
            # Folded line breaks stand at the end of a line.
            assert there[:1] in ("", " ")
        else:
            assert there.startswith(character) or there.startswith("\\")


def test_a_place_after_the_text_is_its_end() -> None:
    document = read_text('key: "abc"\n', FILE)

    assert document.within(("key",), 3) == Position(FILE, 1, 10)
    assert document.within(("key",), 99) == Position(FILE, 1, 10)


def test_what_cannot_be_mapped_falls_back_to_the_start() -> None:
    # The parser takes U+2028 for a line break and folds it; an editor doesn't.
    document = read_text('key: "a\u2028 b"\nother: 5\n', FILE)

    assert document.within(("key",), 2) == Position(FILE, 1, 6)
    assert document.within(("other",), 2) == Position(FILE, 2, 8)


@settings(max_examples=200)
@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp"))))
def test_quoted_text_is_mapped_exactly(text: str) -> None:
    source = f"key: {json.dumps(text, ensure_ascii=False)}\n"
    if "\ufeff" in text or "\ufffe" in text or "\uffff" in text:
        return
    document = read_text(source, FILE)
    value = document.at(("key",))
    assert value == text

    for offset, character in enumerate(text):
        column = document.within(("key",), offset).column
        assert source[column - 1 : column] == (character if character not in '"\\' else "\\")
