"""`smm-rules init`: what it writes loads, and it never writes over anything unasked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from smm_rules.config import load_configuration
from smm_rules.document import read_document
from tests.cli.command import said

Capture = pytest.CaptureFixture[str]
README = Path(__file__).parents[2] / "README.md"


def test_what_it_writes_passes_check(here: Path, capsys: Capture) -> None:
    written = said(capsys, "init")
    assert written.code == 0
    assert written.out.startswith(
        "wrote smm-rules.yaml\nwrote rules/first-rules.yaml\nwrote rules/first-rules_test.yaml\nNext:\n"
    )
    checked = said(capsys, "check")
    assert (checked.code, checked.out) == (0, "ok: 3 rules in 1 file\n")
    assert said(capsys, "test").out.endswith("4 passed\n")


def test_the_way_on_is_told_within_80_columns_and_looks_before_it_acts(here: Path, capsys: Capture) -> None:
    told = said(capsys, "init")
    steps = told.out.partition("Next:\n")[2].splitlines()
    assert steps == [
        "  1. put the panel's address into smm-rules.yaml",
        "  2. read -rs MAIN_PANEL_KEY && export MAIN_PANEL_KEY   # the panel's API key",
        "  3. smm-rules check --live",
        "  4. smm-rules orders import FILE   # or: orders track ID …",
        "  5. SMM_RULES_MODE=dry_run smm-rules run   # holds what it would do",
        "  6. smm-rules run",
    ]
    assert max(len(step) for step in steps) <= 80


def test_placeholders_stand_where_nothing_is_given(here: Path, capsys: Capture) -> None:
    said(capsys, "init")
    configuration = load_configuration(here / "smm-rules.yaml", {})
    (panel,) = configuration.panels
    assert (panel.name, panel.url, str(panel.key)) == (
        "main",
        "https://panel.example/api/v2",
        "{env: MAIN_PANEL_KEY}",
    )
    assert configuration.channel_types == {"ops": "log"}
    assert configuration.ledger == here / "smm-rules.db"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("true", "https://a.example/api?x=1&y=2"),
        ("123", "http://127.0.0.1:8080/api/v2"),
        ("1e5", "https://a.example/%20,{}"),
        ("north-2", "https://[2001:db8::1]/api/v2"),
    ],
)
def test_answers_that_yaml_would_take_for_something_else_are_quoted(
    here: Path, capsys: Capture, name: str, url: str
) -> None:
    told = said(capsys, "init", "--panel-name", name, "--panel-url", url, "--key-env", "YES")
    assert told.code == 0
    (panel,) = load_configuration(here / "smm-rules.yaml", {}).panels
    assert (panel.name, panel.url, panel.key.env) == (name, url, "YES")


def test_a_directory_gets_its_own_set_and_commands_that_name_it(here: Path, capsys: Capture) -> None:
    told = said(capsys, "init", "new place", "--key-credential", "the-key")
    assert told.out.partition("Next:\n")[2].splitlines() == [
        "  1. put the panel's address into new place/smm-rules.yaml",
        "  2. store the API key as the credential the-key (systemd/README.md)",
        "  3. put `mode: dry_run` into new place/smm-rules.yaml: it holds what it would do",
        "  4. smm-rules check --config 'new place/smm-rules.yaml'",
        "  5. systemctl enable --now smm-rules",
        "  6. smm-rules orders import FILE --config 'new place/smm-rules.yaml'   # or: orders track ID …",
        "  7. put `mode: live` back, and systemctl restart smm-rules",
    ]
    configuration = load_configuration(here / "new place" / "smm-rules.yaml", {})
    assert configuration.panels[0].key.credential == "the-key"
    assert said(capsys, "check", "--config", "new place/smm-rules.yaml").code == 0


@pytest.mark.parametrize("name", ["smm-rules.yaml", "rules/first-rules.yaml"])
def test_nothing_is_written_over(here: Path, capsys: Capture, name: str) -> None:
    path = here / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine", encoding="utf-8")
    told = said(capsys, "init")
    assert told.code == 1
    assert told.err == f"error: {name} is there already; nothing was written. --force writes over it.\n"
    assert [file for file in here.rglob("*") if file.is_file()] == [path]
    assert path.read_text(encoding="utf-8") == "mine"


def test_force_writes_over(here: Path, capsys: Capture) -> None:
    (here / "smm-rules.yaml").write_text("mine", encoding="utf-8")
    assert said(capsys, "init", "--force").code == 0
    assert said(capsys, "check").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--panel-url", "http://panel.example/api/v2"),
        ("--panel-url", "https://panel.example/api?key=abc"),
        ("--panel-name", "two words"),
        ("--key-env", "A-B"),
        ("--key-credential", "a b"),
        ("--key-env", "A", "--key-credential", "b"),
        ("--key-env", "A", "--key-file", "b"),
    ],
)
def test_an_answer_that_cannot_be_used_writes_nothing(
    here: Path, capsys: Capture, arguments: tuple[str, ...]
) -> None:
    assert said(capsys, "init", *arguments).code == 2
    assert list(here.iterdir()) == []


def test_the_first_rules_are_those_of_the_readme(here: Path, capsys: Capture) -> None:
    said(capsys, "init")
    (shown,) = re.findall(r"```yaml\n(rules:\n.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    Path("shown.yaml").write_text(shown, encoding="utf-8")
    first = read_document(here / "rules" / "first-rules.yaml").value
    assert json.dumps(first, default=str) == json.dumps(read_document(Path("shown.yaml")).value, default=str)


def test_the_key_may_be_in_a_file(here: Path, capsys: Capture) -> None:
    told = said(capsys, "init", "--key-file", "panel.key")
    assert "read -rs" not in told.out
    (panel,) = load_configuration(here / "smm-rules.yaml", {}).panels
    assert str(panel.key.file) == str(here / "panel.key")
