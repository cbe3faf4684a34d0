"""`smm-rules replay` over a recorded week."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command import Said, configure, said
from tests.rehearsal.week import record_week

Replay = Callable[..., Said]
WEEK = ("--since", "2026-01-01", "--until", "2026-01-08T00:00Z")


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("week")
    asyncio.run(record_week(directory))
    return directory


@pytest.fixture
def replayed(week: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> Replay:
    def run(*arguments: str) -> Said:
        return said(capsys, "replay", "--config", str(week / "smm-rules.yaml"), *arguments)

    return run


def test_what_would_have_been_stands_beside_what_was(replayed: Replay) -> None:
    answer = replayed(*WEEK)
    lines = answer.out.splitlines()
    assert (answer.code, answer.err, lines[0]) == (
        0,
        "",
        "2026-01-01 00:00Z to 2026-01-08 00:00Z; nothing was sent.",
    )
    place = next(number for number, line in enumerate(lines) if line.startswith("reorder-canceled"))
    happened, would = (line.split() for line in lines[place : place + 2])
    assert happened[2:] == ["3", "0", "0", "0", "3.00", "USD"]
    assert would[4:] == ["3", "0", "0", "0", "0", "3.00", "USD"]
    assert "Taken for granted:" in lines


def test_the_rules_in_force_do_not_differ_from_what_was_done(replayed: Replay) -> None:
    answer = replayed(*WEEK, "--diff")
    assert "No differences: all fired alike." in answer.out.splitlines()


def test_other_rules_differ_from_both(week: Path, replayed: Replay) -> None:
    answer = replayed(*WEEK, "--rules", str(week / "others.yaml"), "--diff", "--json")
    document = json.loads(answer.out)
    titles = ["happened", "would: rules in force", "would: rules given"]
    assert [side["title"] for side in document["sides"]] == titles
    assert {one["differs"] for one in document["firings"]} == {True}
    (low,) = [one for one in document["firings"] if one["rule"] == "low-balance"]
    assert low["at"] == dict(zip(titles, [None, None, "2026-01-05T00:00:00+00:00"], strict=True))
    spent = [{rule["rule"]: rule["spent"] for rule in side["rules"]} for side in document["sides"]]
    assert spent[0]["reorder-canceled"] == spent[1]["reorder-canceled"] != {}
    assert spent[2]["reorder-canceled"] == {}


def test_bars_and_a_page(week: Path, replayed: Replay) -> None:
    answer = replayed(*WEEK, "--plot", "--html", "page.html")
    assert "refill-partial: firings" in answer.out.splitlines()
    assert "█" in answer.out
    assert Path("page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert answer.err == "Written: page.html\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "last week"), 'error: "last week" is neither a duration such as 7d nor a time'),
        (("--since", "1h", "--until", "2h"), "error: --since must lie before --until."),
        (
            ("--panel", "elsewhere"),
            'error: There is no panel "elsewhere" in the configuration. There are: main.',
        ),
    ],
)
def test_wrong_use_is_told(replayed: Replay, arguments: tuple[str, ...], words: str) -> None:
    answer = replayed(*arguments)
    assert (answer.code, answer.err.startswith(words)) == (2, True)


def test_without_a_ledger_there_is_nothing_to_replay(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure(here)
    answer = said(capsys, "replay")
    assert (answer.code, "There is no ledger" in answer.err) == (4, True)
    assert not (here / "ledger.db").exists()


def test_a_time_in_which_nothing_was_recorded_is_said_to_be_one(replayed: Replay, here: Path) -> None:
    before = ("--since", "2025-12-01", "--until", "2025-12-08")
    told = "Nothing was recorded until 2025-12-08 00:00Z"
    answer = replayed(*before, "--html", "page.html")
    assert (answer.code, told in answer.out) == (0, True)
    assert told in (here / "page.html").read_text(encoding="utf-8")
    assert json.loads(replayed(*before, "--json").out)["notes"][0].startswith(told)
    assert json.loads(replayed(*WEEK, "--json").out)["notes"] == []
