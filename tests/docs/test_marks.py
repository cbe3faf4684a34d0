"""Pages are taken apart as their writers mean it, and nothing of them escapes unseen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.marks import REASONS, Mark, MarkError, read
from tests.docs.output import matches
from tests.docs.pages import every_page, indented_commands, read_page
from tests.docs.program import Failed
from tests.docs.shell import Shell, commands, samples

PAGE = """\
# A page
<!-- test: world nothing -->

Text, then commands:

<!-- test: exit 1, until "ready, go" -->
```sh
false
```

- in a list
  ```console
  $ echo one
  one
  ```
"""


def page(directory: Path, text: str = PAGE) -> Path:
    path = directory / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_blocks_of_a_page_with_their_places_and_marks(tmp_path: Path) -> None:
    found = read_page(page(tmp_path))
    assert found.world == "nothing"
    first, second = found.commands
    assert (first.place, first.text, first.mark) == ("page.md:7", "false\n", Mark(code=1, until="ready, go"))
    assert (second.text, second.shows_output, second.mark) == ("$ echo one\none\n", True, Mark())


@pytest.mark.parametrize("text", ["skip because", "exit one", "untill x", "answer yes", 'for "a" by "b"'])
def test_a_mark_that_nobody_understands_is_refused(text: str) -> None:
    with pytest.raises(MarkError, match="nobody understands"):
        read(text)


def test_a_mark_has_several_answers_and_replacements() -> None:
    mark = read('answer "Password:" with "a, b", answer "again:" with "c", for "x" with ""')
    assert mark.answers == (("Password:", "a, b"), ("again:", "c"))
    assert mark.replaces == (("x", ""),)


def test_what_is_shown_may_leave_out_and_be_alike() -> None:
    assert matches("one …\n…\nlast", "one two\nthree\nfour\nlast\n")
    assert not matches("one …\nlast", "one two\nthree\nlast\n")
    assert not matches("main  46.50", "main  47.50")
    assert matches("main  46.50 at 2026-03-01 12:00Z, 5m", "main 7 at 2026-11-25 03:07Z, 12s", alike=True)
    assert not matches("main  46.50", "north  46.50", alike=True)


def test_commands_and_samples_go_on_over_several_lines() -> None:
    assert commands("# a comment\none \\\n  two\n\nthree\n") == ["one    two", "three"]
    assert list(samples("$ one \\\n> two\nsaid\n$ three\n")) == [("one \\\ntwo", "said\n"), ("three", "")]


def test_indented_commands_are_found_and_those_in_fences_are_not() -> None:
    assert indented_commands("```sh\n    smm-rules run\n```\n\n    smm-rules check\n") == ["smm-rules check"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("```sh\nexit 3\n```\n", "exit code 3"),
        ("```console\n$ echo two\none\n```\n", "but this came out"),
        ('<!-- test: until "never" -->\n```sh\necho once\n```\n', "never came"),
    ],
)
def test_a_page_that_is_wrong_fails(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "here").mkdir()
    shell = Shell(tmp_path / "here", {"PATH": "/usr/bin:/bin"}, str)
    (block,) = read_page(page(tmp_path, text)).blocks
    with pytest.raises(Failed, match=why):
        shell.take(block)


def test_a_block_finds_what_the_one_before_left_and_a_terminal_is_answered(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    shell = Shell(tmp_path / "here", {"PATH": "/usr/bin:/bin"}, str)
    text = (
        "```sh\nmkdir below && cd below && export NAME=ann\n```\n"
        '<!-- test: answer "Who?" with "ben" -->\n```sh\n'
        'read -rp "Who? " who && echo "$who and $NAME in $PWD"\n```\n'
        "<!-- test: output -->\n```text\nWho? ben\nben and ann in …/here/below\n```\n"
    )
    for block in read_page(page(tmp_path, text)).blocks:
        shell.take(block)


def test_blocks_are_left_out_for_few_and_known_reasons_alone() -> None:
    skipped = [block for path in every_page() for block in read_page(path).blocks if block.mark.skipped]
    assert {block.mark.skipped for block in skipped} == set(REASONS)
    assert len(REASONS) <= 8
    shown = [block for path in every_page() for block in read_page(path).commands]
    assert len([block for block in shown if block.mark.skipped]) <= len(shown) / 2
