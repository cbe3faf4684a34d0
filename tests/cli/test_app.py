"""The command line as a whole: mistaken commands, readers that go away, disks that are full."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import configure, said
from tests.cli.stage import an_order_due_an_hour_ago, stage

Capture = pytest.CaptureFixture[str]

SMM_RULES = (sys.executable, "-c", "from smm_rules.cli.app import main; main()")


def without_a_reader(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with a standard output that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [*SMM_RULES, *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(writing)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("chekc", "check"), ("intent", "intents"), ("order", "orders"), ("statsu", "status")],
)
def test_a_mistyped_command_is_suggested(typed: str, meant: str, here: Path, capsys: Capture) -> None:
    told = said(capsys, typed)
    assert (told.code, told.out) == (2, "")
    assert told.err.splitlines()[-1] == f'Error: There is no command "{typed}". Did you mean "{meant}"?'


def test_a_command_like_no_other_gets_the_way_to_the_list(here: Path, capsys: Capture) -> None:
    told = said(capsys, "frobnicate")
    assert told.code == 2
    assert told.err.splitlines()[-3:] == [
        "Try 'smm-rules --help' for help.",
        "",
        'Error: There is no command "frobnicate".',
    ]


def test_a_mistyped_command_of_a_group_is_suggested(here: Path, capsys: Capture) -> None:
    told = said(capsys, "intents", "aprove")
    assert told.code == 2
    assert told.err.splitlines()[-1] == 'Error: There is no command "aprove". Did you mean "approve"?'


@pytest.mark.parametrize("group", [(), ("orders",), ("intents",), ("rules",)])
def test_every_command_is_told_of_in_one_whole_sentence(
    group: tuple[str, ...], here: Path, capsys: Capture
) -> None:
    """A list of commands that breaks off with `...` tells half."""
    told = said(capsys, *group, "--help")
    assert told.code == 0
    commands = told.out.partition("Commands:")[2]
    assert commands.count(".\n") >= 3
    assert "..." not in commands


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("status",),
        ("orders", "list"),
        ("orders", "list", "--json"),
        ("intents", "--help"),
        ("schema", "rules"),
        ("check",),
    ],
)
def test_a_reader_that_went_away_ends_it_quietly(arguments: tuple[str, ...], here: Path) -> None:
    """As `| head` does. 141 is what a shell says of a program that the broken pipe ended."""
    configure(here)
    stage(here / "ledger.db", an_order_due_an_hour_ago)
    ended = without_a_reader(*arguments)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.parametrize("arguments", [("orders", "list"), ("orders", "list", "--json")])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
def test_output_that_cannot_be_written_is_told(arguments: tuple[str, ...], here: Path) -> None:
    configure(here)
    stage(here / "ledger.db", an_order_due_an_hour_ago)
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*SMM_RULES, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (ended.returncode, ended.stderr) == (1, f"error: {os.strerror(errno.ENOSPC)}.\n")


def test_without_a_terminal_nothing_is_coloured(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", an_order_due_an_hour_ago)
    told = said(capsys, "orders", "list")
    assert "\x1b" not in told.out + told.err
