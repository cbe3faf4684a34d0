"""Files that grow, are cut short and are rotated while they are followed; the journal by a stand-in."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smm_rules.cli.exits import Stop
from smm_rules.cli.logs.line import Line
from smm_rules.cli.logs.sources import Journal, follow_file, lines_of_file


class Enough(Exception):
    """The reader has seen all it wants."""


def followed(path: Path, *acts: Callable[[], object]) -> list[str | None]:
    """What is read while one act after the other changes the file, each when all is read."""
    waiting: Iterator[Callable[[], object]] = iter(acts)

    def wait() -> None:
        act = next(waiting, None)
        if act is None:
            raise Enough
        act()

    found: list[str | None] = []
    try:
        for line in follow_file(path, wait):
            found.append(None if line is None else line.text)
    except Enough:
        return found
    raise AssertionError("following a file never ends by itself")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_text("one\ntwo\n", encoding="utf-8")
    return path


def appending(path: Path, text: str) -> Callable[[], object]:
    def act() -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)

    return act


def test_a_file_is_read_and_then_what_is_added(log: Path) -> None:
    assert followed(log, appending(log, "three\n")) == ["one", "two", None, "three"]


def test_a_line_that_is_written_in_pieces_is_one(log: Path) -> None:
    assert followed(log, appending(log, "thr"), appending(log, "ee\n")) == ["one", "two", None, "three"]


def test_a_rotated_file_is_read_to_its_end_and_then_the_new_one(log: Path) -> None:
    def rotate() -> None:
        appending(log, "unfinished")()
        log.rename(log.with_suffix(".1"))

    def begin() -> None:
        log.write_text("new\n", encoding="utf-8")

    assert followed(log, rotate, begin) == ["one", "two", None, "unfinished", "new"]


def test_a_file_that_is_cut_short_is_read_from_its_start(log: Path) -> None:
    assert followed(log, lambda: log.write_text("1\n", encoding="utf-8")) == ["one", "two", None, "1"]


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"none can't be read: No such file"):
        list(lines_of_file(tmp_path / "none"))


# -- the journal --------------------------------------------------------------------------------------------
def stand_in(directory: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Path:
    """A journalctl that notes what it was asked and does as `body` says; where it notes it."""
    asked = directory / "asked"
    script = directory / "journalctl"
    script.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        f"with open({str(asked)!r}, 'a') as file: file.write(json.dumps(sys.argv[1:]) + '\\n')\n{body}\n",
        encoding="utf-8",
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory))
    return asked


def entry(cursor: str, message: str) -> str:
    return json.dumps({"__CURSOR": cursor, "__REALTIME_TIMESTAMP": "1", "PRIORITY": "6", "MESSAGE": message})


def test_the_journal_is_read_and_then_followed_from_where_that_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = stand_in(tmp_path, monkeypatch, f"print({entry('c1', 'hello')!r})")
    journal = Journal("smm-rules", None)
    found: list[Line] = [*journal.lines(), *journal.follow("c1")]
    assert [(line.text, line.cursor) for line in found] == [("hello", "c1")] * 2
    first, second = (json.loads(line) for line in asked.read_text(encoding="utf-8").splitlines())
    assert first == ["--output=json", "--all", "--no-pager", "--unit=smm-rules"]
    assert second == [*first, "--follow", "--lines=all", "--after-cursor=c1"]


def test_a_journal_that_cannot_be_read_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "print('not for you', file=sys.stderr)\nsys.exit(1)")
    with pytest.raises(Stop, match=r"journalctl can't tell of smm-rules: not for you\."):
        list(Journal("smm-rules", None).lines())


def test_without_a_journal_files_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Stop, match=r"There is no journalctl here\. Name the files"):
        Journal("smm-rules", None)
