"""The manual pages: one for each command, in the words of the command line, and free of troff's faults."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from smm_rules.cli.app import COMMANDS
from smm_rules.cli.manual import roff
from smm_rules.cli.manual.__main__ import all_pages, main
from smm_rules.cli.manual.commands import EXIT_CODES
from smm_rules.config.environment import VARIABLES
from smm_rules.config.model import Configuration

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return dict(all_pages("2026-03-01"))


def rendered(directory: Path, name: str) -> str:
    """The page as a reader sees it, without bold and underlining."""
    done = subprocess.run(
        ["mandoc", "-T", "ascii", str(directory / name)], capture_output=True, text=True, check=True
    )
    return subprocess.run(["col", "-b"], input=done.stdout, capture_output=True, text=True, check=True).stdout


def test_every_command_has_a_page(pages: dict[str, str]) -> None:
    wanted = {f"smm-rules-{name}.1" for name in COMMANDS} | {"smm-rules.1", "smm-rules.yaml.5"}
    assert set(pages) == wanted


def test_a_page_of_a_group_has_all_its_commands_and_options(pages: dict[str, str]) -> None:
    page = pages["smm-rules-intents.1"]
    for command in ("list", "show", "approve", "deny", "resolve"):
        assert f'.SS "smm\\-rules intents {command}"' in page
    assert "\\-\\-happened" in page


def test_every_setting_and_variable_is_on_the_page_of_the_configuration(pages: dict[str, str]) -> None:
    page = pages["smm-rules.yaml.5"]
    for name in (*Configuration.model_fields, *VARIABLES):
        assert f'.B "{name}"' in page


def test_the_exit_codes_are_those_of_the_readme(pages: dict[str, str]) -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    told = readme.partition("Exit codes: ")[2]
    assert [told.count(f"{code} ") > 0 for code, _ in EXIT_CODES] == [True] * len(EXIT_CODES)
    assert all('.B "141"' in text for name, text in pages.items() if name.endswith(".1"))


def test_text_cannot_become_a_request_or_an_escape() -> None:
    assert roff.escaped(".so /etc/passwd") == "\\&.so /etc/passwd"
    assert roff.escaped("'br\nC:\\new-x") == "\\&'br\nC:\\enew\\-x"
    assert roff.argument('say "no"') == '"say \\(dqno\\(dq"'


def test_paragraphs_are_wrapped_but_for_those_that_say_not_to() -> None:
    assert roff.paragraphs("One\ntwo `--x`.\n\n\b\na\n  .b") == [
        ".PP", "One two \\fB\\-\\-x\\fR.", ".PP", ".RS 4", ".nf", "a", "  .b", ".fi", ".RE",
    ]  # fmt: skip


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc isn't installed")
def test_mandoc_finds_no_fault(tmp_path: Path) -> None:
    main(tmp_path)
    files = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", *files], capture_output=True, text=True, check=False
    )
    assert done.stdout + done.stderr == ""


@pytest.mark.skipif(
    shutil.which("mandoc") is None or shutil.which("col") is None, reason="mandoc isn't installed"
)
def test_a_reader_sees_what_the_command_line_says(tmp_path: Path) -> None:
    main(tmp_path)
    page = rendered(tmp_path, "smm-rules-logs.1")
    assert "smm-rules-logs - show the daemon's log readably" in page
    assert "--correlation ID" in page
    assert "SEE ALSO" in page
