"""Reading YAML: values without surprises, bounds, and every refusal at its place."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smm_rules.document import Bounds, Document, DocumentError, Position, read_document, read_text
from tests.document.marked import unmarked

FILE = Path("file.yaml")


def read(text: str, bounds: Bounds | None = None) -> Document:
    return read_text(text, FILE) if bounds is None else read_text(text, FILE, bounds)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("No", "No"),
        ("True", "True"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12:30", "12:30"),
        ("1:30:00", "1:30:00"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("+5", "+5"),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("=", "="),
        ("5", 5),
        ("-5", -5),
        ("0", 0),
        ("1.50", Decimal("1.50")),
        ("1e3", Decimal("1e3")),
        ("10%", "10%"),
        ("10m", "10m"),
        ('"5"', "5"),
        ("'true'", "true"),
        ('"null"', "null"),
    ],
)
def test_a_bare_word_means_what_it_looks_like(written: str, value: object) -> None:
    found = read(f"key: {written}\n").value

    assert found == {"key": value}
    assert isinstance(found, dict)
    assert type(found["key"]) is type(value)


def test_keys_are_text_as_they_stand() -> None:
    assert read("on: 1\n10: 2\ntrue: 3\nnull: 4\n1.50: 5\n").value == {
        "on": 1,
        "10": 2,
        "true": 3,
        "null": 4,
        "1.50": 5,
    }


def test_an_empty_file_holds_nothing() -> None:
    assert [read(text).value for text in ("", "# nothing\n", "---\n")] == [None, None, None]


def test_aliases_stand_for_what_they_name() -> None:
    assert read("a: &x [1, 2]\nb: *x\n").value == {"a": [1, 2], "b": [1, 2]}


def test_a_byte_order_mark_shifts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfkey: 1\n")

    document = read_document(path)

    assert document.value == {"key": 1}
    assert document.key_position(("key",)) == Position(path, 1, 1)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_line_ending_counts_lines(ending: str) -> None:
    document = read(f"a: 1{ending}{ending}b: two{ending}")

    assert document.position(("b",)) == Position(FILE, 3, 4)


REFUSED = {
    "duplicate key": ("a: 1\nb: 2\n⟦a: 3\n", 'The key "a" is written twice; it stands at line 1', ""),
    "duplicate nested key": ("a:\n  b: 1\n  ⟦b: 2\n", '"b" is written twice', "Keep one"),
    "duplicate in flow": ("a: {b: 1, ⟦b: 2}\n", '"b" is written twice', ""),
    "duplicate by number": ('1: x\n⟦"1": y\n', '"1" is written twice', ""),
    "merge": ("a: &x {b: 1}\nc:\n  ⟦<<: *x\n", 'Merging with "<<"', "Write the keys out"),
    "tag": ("a: ⟦!!str 5\n", "Tags such as !!str", "quotes"),
    "python tag": ("a: ⟦!!python/object/apply:os.system [ls]\n", "Tags", ""),
    "bare tag": ("a: ⟦!x {}\n", "Tags", ""),
    "infinity": ("a: ⟦.inf\n", ".inf is not a number", "quotes"),
    "negative infinity": ("a: ⟦-.Inf\n", "-.Inf is not a number", ""),
    "not a number": ("a: [⟦.nan]\n", ".nan is not a number", ""),
    "long number": (f"a: ⟦{'9' * 60}\n", "This number is too long", ""),
    "large exponent": ("a: ⟦1e999999999\n", "This number is too long", ""),
    "two documents": ("a: 1\n⟦---\nb: 2\n", "second document", ""),
    "tab": ("a:\n⟦\tb: 1\n", "Tabs can't indent", "Use spaces"),
    "tab at the start": ("⟦\ta: 1\n", "Tabs can't indent", "Use spaces"),
    "template": ("a: ⟦{{ x }}\n", "must stand in quotes", "{{ name }}"),
    "template with text": ("a: ⟦{{ x }} left\n", "must stand in quotes", "{{ name }}"),
    "template in list": ("- ⟦{{ x }}\n", "must stand in quotes", ""),
    "template tag": ("a: ⟦{% if x %}\n", "must stand in quotes", ""),
    "colon in text": ("a: Order⟦: missing\n", 'A ":" is not expected', "quotes"),
    "colon after value": ("a: 1\n b⟦: 2\n", 'A ":" is not expected', "indentation"),
    "open quote": ('a: ⟦"x\nb: 1\n', "The quote opened here is never closed", ""),
    "open single quote": ("a: ⟦'x\nb: 1\n", "The quote opened here is never closed", ""),
    "open list": ("a: ⟦[1, 2\nb: 3\n", 'The "[" opened here', ""),
    "open at the end": ("a: ⟦[1,\n", 'The "[" opened here is never closed', ""),
    "open mapping at the end": ("a: [1, ⟦{b\n", 'The "{" opened here is never closed', ""),
    "open mapping": ("a: ⟦{b: 1\nc: 2\n", 'The "{" opened here', ""),
    "stray bracket": ("a: ⟦]\n", "never opened", ""),
    "at sign": ("a: ⟦@ops\n", 'can\'t begin with "@"', "quotes"),
    "backtick": ("a: ⟦`x`\n", 'can\'t begin with "`"', "quotes"),
    "percent": ("a: ⟦%x\n", 'can\'t begin with "%"', "quotes"),
    "star": ("a: ⟦* x\n", "can't begin with * or &", "quotes"),
    "unknown alias": ("a: ⟦*x\n", 'There is no "&x"', "quotes"),
    "alias of itself": ("a: &x [⟦*x]\n", 'There is no "&x"', ""),
    "list in line": ("a: ⟦- b\n", 'A "- " is not expected', "new line"),
    "lost indentation": ("a:\n  b: 1\n ⟦c: 2\n", "doesn't fit the lines above", "same column"),
    "mixed list and mapping": ("- a\n⟦b: 1\n", "a list's next item", "indentation"),
    "list as key": ("? ⟦[a]\n: b\n", "A key must be plain text", ""),
    "missing key": ("?⟦ # nothing\n: b\n", "A key is missing", ""),
    "escape": ('a: "⟦\\q"\n', "only a few letters", "single quotes"),
    "control character": ("a: 1\nb: x⟦\x07y\n", "U+0007", "Delete it"),
    "null byte": ("a: ⟦\x00\n", "U+0000", ""),
    "deep": ("[" * 32 + "⟦[" + "]" * 33, "nested more than 32 deep", ""),
}


@pytest.mark.parametrize(("text", "message", "suggestion"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_names_its_place(text: str, message: str, suggestion: str) -> None:
    text, line, column = unmarked(text)

    with pytest.raises(DocumentError) as caught:
        read(text)

    (problem,) = caught.value.problems
    assert problem.position == Position(FILE, line, column)
    assert message in problem.message
    assert suggestion in problem.suggestion


def test_all_duplicate_keys_are_told_in_one_run() -> None:
    with pytest.raises(DocumentError) as caught:
        read("a: 1\nb: 2\na: 3\nc: !x y\nb: 4\n")

    assert [problem.position.line for problem in caught.value.problems] == [3, 4, 5]


def bomb(levels: int, width: int) -> str:
    lines = [f"a0: &a0 [{', '.join(['x'] * width)}]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


def test_an_alias_bomb_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"more than 100,000 values"):
        read(bomb(levels=10, width=10))


def test_a_flood_of_aliases_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"More than 200 aliases"):
        read("a: &a x\nb: [" + ", ".join(["*a"] * 201) + "]")


def test_aliases_cannot_get_around_the_depth() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 40)]

    with pytest.raises(DocumentError, match=r"nested more than 32 deep"):
        read("\n".join(lines))


def test_a_flood_of_values_is_refused() -> None:
    with pytest.raises(DocumentError, match=r"more than 10 values"):
        read("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]", Bounds(values=10))


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_text("#" * ((1 << 20) + 1), encoding="utf-8")

    with pytest.raises(DocumentError, match=r"larger than 1,048,576 bytes"):
        read_document(path)


def test_a_million_brackets_are_refused_at_once() -> None:
    with pytest.raises(DocumentError, match=r"nested too deeply"):
        read("[" * 1_000_000)


@pytest.mark.parametrize(
    ("content", "message", "line", "column"),
    [
        (b"a: 1\nb: \xe9t\xe9\n", "not UTF-8", 2, 4),
        ("a: 1\n".encode("utf-16"), "UTF-16", 1, 1),
        (b"\xff", "not UTF-8", 1, 1),
    ],
)
def test_other_encodings_are_refused(
    tmp_path: Path, content: bytes, message: str, line: int, column: int
) -> None:
    path = tmp_path / "encoded.yaml"
    path.write_bytes(content)

    with pytest.raises(DocumentError) as caught:
        read_document(path)

    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.position == Position(path, line, column)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"There is no such file"):
        read_document(tmp_path / "gone.yaml")


def test_a_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"can't be read: Is a directory"):
        read_document(tmp_path)


def told_or_read(reading: Callable[[], Document]) -> bool:
    """Whether reading ended in a document or in problems with sentences."""
    try:
        return isinstance(reading(), Document)
    except DocumentError as error:
        return bool(error.problems) and all(problem.message for problem in error.problems)


YAML_LIKE = st.text(alphabet=list("ab:- \n\t[]{},&*!|>'\"#%@`?<~.0159é😀\\\x85\u2028\ufeff\x00\ud800"))


@settings(max_examples=400)
@given(st.one_of(YAML_LIKE, st.text()))
@example("a: *")
@example("- ? -")
@example("\ufeff\ufeff")
def test_any_text_is_a_document_or_refused(text: str) -> None:
    assert told_or_read(lambda: read(text))


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)

    assert told_or_read(lambda: read_document(path))
