"""The pages of the documentation, and the blocks of code on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tests.docs.marks import Mark, marks, read

ROOT = Path(__file__).parents[2]
#: Blocks in these languages are commands; those in the second also show what comes out.
SHELL, CONSOLE = ("sh", "bash", "shell"), ("console",)
_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<language>[^\s`]*)[^\n`]*$")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, the line of its fence (from 1), and its mark."""

    page: str
    line: int
    language: str
    text: str
    mark: Mark

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def shows_commands(self) -> bool:
        return self.language in SHELL or self.shows_output

    @property
    def shows_output(self) -> bool:
        return self.language in CONSOLE or (
            self.language in ("", "text") and self.text.startswith("$ ") and not self.mark.output
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its name from the root of the project, its text, the world its blocks run in."""

    name: str
    text: str
    world: str
    blocks: tuple[Block, ...]

    @property
    def commands(self) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.shows_commands)


def every_page() -> list[Path]:
    """All that a user is given to read."""
    outside = ("README.md", "CONTRIBUTING.md", "systemd/README.md", "packaging/debian/README.md")
    return [
        *sorted((ROOT / "docs").glob("*.md")),
        *(ROOT / name for name in outside),
        ROOT / "benchmarks" / "README.md",
    ]


def read_page(path: Path) -> Page:
    """The page in the file at `path`."""
    text = path.read_text(encoding="utf-8")
    name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
    of_page = [mark for mark in map(read, marks(_without_code(text))) if mark.world]
    assert len(of_page) <= 1, f"{name} names several worlds"
    mark = of_page[0] if of_page else Mark(world="shop")
    blocks = tuple(_blocks(name, text))
    if mark.elsewhere:
        blocks = tuple(block for block in blocks if not block.shows_output)
    return Page(name, text, mark.world, blocks)


def _blocks(page: str, text: str) -> Iterator[Block]:
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opened = _FENCE.match(lines[number])
        if opened is None:
            number += 1
            continue
        end = number + 1
        while end < len(lines) and lines[end].strip() != opened["fence"]:
            end += 1
        assert end < len(lines), f"{page}:{number + 1}: this block never ends"
        content = dedent("\n".join(lines[number + 1 : end]) + "\n")
        yield Block(page, number + 1, opened["language"], content, _mark_above(lines, number))
        number = end + 1


def _mark_above(lines: list[str], fence: int) -> Mark:
    """What the comment says that stands right above a fence, at most an empty line between."""
    above = [line for line in lines[max(0, fence - 2) : fence] if line.strip()]
    said = marks(above[-1]) if above else []
    mark = read(said[0]) if said else Mark()
    return Mark() if mark.world else mark


def _without_code(text: str) -> str:
    """The text less what is quoted: there marks are told of, not set."""
    return re.sub(r"`[^`\n]*`", "", _without_fences(text))


def _without_fences(text: str) -> str:
    return re.sub(r"^( *)(```|~~~).*?^\1\2", "", text, flags=re.MULTILINE | re.DOTALL)


def indented_commands(text: str) -> list[str]:
    """Lines of indented blocks that look like commands: they would escape the tests."""
    return re.findall(
        r"(?m)^    ((?:smm-rules|\.venv/|\./dev|python|pip|curl|\$) ?\S.*)$", _without_fences(text)
    )
