"""What a comment above a block says of how the tests take it: `<!-- test: exit 1, until "ready" -->`.

CONTRIBUTING.md tells writers of pages what there is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Why a block may be left out. Each says what would be needed to run it.
REASONS = {
    "installs packages": "the network, and a package manager that changes this machine",
    "needs root": "users, directories and services of the whole machine",
    "needs Docker": "a container engine",
    "takes minutes": "more time than a check has",
    "passes every check": "the checks, of which this test is one",
    "compared by a test of its own": "nothing: that test makes what the sample takes for granted",
    "a workflow of GitHub": "GitHub",
}
_MARK = re.compile(r"<!--\s*test:\s*(.*?)\s*-->")
_PAIR = re.compile(r'"([^"]*)" with "([^"]*)"')
_OPTION = re.compile(r'\s*((?:"[^"]*"|[^,"])+)\s*(?:,|$)')


@dataclass(frozen=True, slots=True)
class Mark:
    """How a block is taken. Without a mark: it runs to its end, in the page's world, and exits with 0."""

    skipped: str = ""  # why it isn't run or read
    world: str = ""  # of a page, not of a block: where its blocks run
    elsewhere: bool = False  # of a page: a test of its own compares what it shows
    code: int = 0
    until: str = ""  # a program that doesn't end by itself is interrupted once it has written this pattern
    after: str = ""  # it is begun once a program that stays has written this pattern
    stays: bool = False  # it is interrupted at the end of the page only
    terminal: bool = False  # it is run at a terminal
    each: bool = False  # every line is a program of its own
    output: bool = False  # a `text` block: what the block before it printed
    alike: bool = False  # numbers, times and widths may differ in the output
    file: str = ""  # the block is written to this file, for the blocks after it
    answers: tuple[tuple[str, str], ...] = ()  # what it asks at a terminal, and what is typed then
    replaces: tuple[tuple[str, str], ...] = ()  # text of the page, and what stands for it when it runs


class MarkError(ValueError):
    """A mark that nobody understands."""


def marks(text: str) -> list[str]:
    """What the marks in `text` say."""
    return _MARK.findall(text)


def read(text: str) -> Mark:
    """The mark that says `text`, its options parted by commas."""
    mark: dict[str, object] = {}
    pairs: dict[str, list[tuple[str, str]]] = {"answers": [], "replaces": []}
    for option in (found[1].strip() for found in _OPTION.finditer(text) if found[1].strip()):
        word, _, rest = option.partition(" ")
        rest = rest.strip()
        match word:
            case "skip" if rest in REASONS:
                mark["skipped"] = rest
            case "world" | "file" if rest:
                mark[word] = rest
            case "exit" if rest.isdigit():
                mark["code"] = int(rest)
            case "until" | "after" if rest:
                mark[word] = rest.strip('"')
            case "stays" | "elsewhere" | "terminal" | "each" | "output" | "alike" if not rest:
                mark[word] = True
            case "for" if _PAIR.fullmatch(rest):
                pairs["replaces"].append(_pair(rest))
            case "answer" if _PAIR.fullmatch(rest):
                pairs["answers"].append(_pair(rest))
            case _:
                raise MarkError(f"nobody understands {option!r} in the mark {text!r}; see CONTRIBUTING.md")
    mark |= {name: tuple(each) for name, each in pairs.items()}
    return Mark(**mark)  # type: ignore[arg-type]  # each field has its case above


def _pair(text: str) -> tuple[str, str]:
    """`"one" with "other"`."""
    found = _PAIR.fullmatch(text)
    assert found is not None
    return found[1], found[2]
