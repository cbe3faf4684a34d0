"""Blocks of commands run by a shell, as a reader would, one after the other.

What one block leaves behind (its directory, exported variables) is there for the next. A program that doesn't
end by itself is interrupted once it has written what the block's mark names.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.docs.output import matches
from tests.docs.pages import Block
from tests.docs.program import Failed, Program

_INTERRUPTED = (0, 130, -signal.SIGINT)
_BEFORE = 'set -euo pipefail\n. "$KEPT/environment"\ncd "$(cat "$KEPT/directory")"\n'
_AFTER = '\nexport -p > "$KEPT/environment"\npwd > "$KEPT/directory"\n'


class Shell:
    """The sandbox of one page. `prepare` makes of a page's text what runs here."""

    def __init__(
        self, directory: Path, environment: Mapping[str, str], prepare: Callable[[str], str]
    ) -> None:
        self.directory = directory
        self._prepare = prepare
        self._kept = kept = directory.parent / "kept"
        kept.mkdir()
        (kept / "directory").write_text(f"{directory}\n")
        (kept / "environment").touch()
        self._environment = {**environment, "KEPT": str(kept)}
        self._running: list[Program] = []
        self._last = ""

    def close(self) -> None:
        """End what was left running."""
        for program in self._running:
            program.stop(signal.SIGTERM)

    def take(self, block: Block) -> None:
        """Do what a block of a page asks for, and compare what comes out with what it shows."""
        if block.mark.skipped:
            return
        if block.mark.file:
            self._write(block)
        elif block.mark.output:
            self._expect(block, block.text, self._last)
        elif block.shows_output:
            for command, shown in samples(block.text):
                self._last = self._run(block, command)
                if shown.strip():
                    self._expect(block, shown, self._last)
        elif block.shows_commands:
            pieces = commands(block.text) if block.mark.each else [block.text]
            self._last = "".join([self._run(block, piece) for piece in pieces])

    @property
    def _here(self) -> Path:
        """Where the reader is by now."""
        return Path((self._kept / "directory").read_text().strip())

    def _write(self, block: Block) -> None:
        path = self._here / self._prepared(block, block.mark.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._prepared(block, block.text), encoding="utf-8")

    def _run(self, block: Block, text: str) -> str:
        """What a script wrote, once it has ended as its mark says."""
        mark = block.mark
        if mark.after and not any(program.wait_for(mark.after) for program in reversed(self._running)):
            raise Failed(f"{block.place}: {mark.after!r} never came")
        script = f"{_BEFORE}{self._prepared(block, text)}{_AFTER}"
        terminal = mark.terminal or bool(mark.answers)
        program = Program(script, self.directory, self._environment, terminal=terminal)
        self._answer(block, program)
        interrupted = bool(mark.until) and program.wait_for(mark.until) is not None
        if interrupted and mark.stays:
            self._running.append(program)
            return program.output
        if mark.until and not interrupted and not (mark.each and program.ended):
            program.stop(signal.SIGKILL)
            raise Failed(f"{block.place}: {mark.until!r} never came; it wrote:\n{program.output}")
        code = program.stop() if interrupted else program.wait()
        if code not in (_INTERRUPTED if interrupted else (mark.code,)):
            raise Failed(f"{block.place}: exit code {code} of\n{text}\nIt wrote:\n{program.output}")
        return program.output

    def _answer(self, block: Block, program: Program) -> None:
        after = 0
        for question, answer in block.mark.answers:
            asked = program.wait_for(re.escape(question), after)
            if asked is None:
                program.stop(signal.SIGKILL)
                raise Failed(f"{block.place}: it never asked {question!r}; it wrote:\n{program.output}")
            after = asked.end()
            program.type(answer)

    def _prepared(self, block: Block, text: str) -> str:
        for shown, run in block.mark.replaces:
            text = text.replace(shown, run)
        return self._prepare(text)

    def _expect(self, block: Block, shown: str, came: str) -> None:
        if not matches(self._prepared(block, shown), came, alike=block.mark.alike):
            raise Failed(f"{block.place}: the page shows\n{shown}\nbut this came out:\n{came}")


def samples(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a block that shows their output (`$ command`), each with what it is to print."""
    for part in re.split(r"(?m)^\$ ", text)[1:]:
        command, _, shown = part.partition("\n")
        while command.endswith("\\"):
            more, _, shown = shown.partition("\n")
            command = f"{command}\n{more.removeprefix('> ')}"
        yield command, shown


def commands(text: str) -> list[str]:
    """The commands of a block, line by line; a line that ends in a backslash goes on."""
    whole = text.replace("\\\n", " ")
    return [line for line in whole.splitlines() if line.strip() and not line.lstrip().startswith("#")]
