"""`smm-rules check`: what it finds, how it tells it, and how it exits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smm_rules.simulator import DEFAULT_KEY, RunningSimulator
from tests.cli.command import BROKEN, KEY, LOW_BALANCE, configure, said

COMMAND = Path(sys.executable).with_name("smm-rules")
Capture = pytest.CaptureFixture[str]


# -- a configuration and its rules -------------------------------------------------------------------------
def test_rules_of_a_configuration_here_are_named_as_seen_from_here(here: Path, capsys: Capture) -> None:
    configure(here, rules=BROKEN)
    told = said(capsys, "check")
    assert told.out.splitlines()[0] == (
        'rules/rules.yaml:4:21: error: There is no order status "Partail". Did you mean "Partial"?'
    )


def test_one_account_under_two_names_is_warned_of(here: Path, capsys: Capture) -> None:
    path = configure(here)
    text = path.read_text(encoding="utf-8")
    (panel,) = [line for line in text.splitlines(keepends=True) if "name: north" in line]
    path.write_text(text.replace(panel, panel + panel.replace("north,", "second,")), encoding="utf-8")
    told = said(capsys, "check")
    assert told.out.startswith(
        'smm-rules.yaml:3:12: warning: The panels "north" and "second" are one account'
    )
    assert told.code == 0


# -- rules by themselves ------------------------------------------------------------------------------------
def test_both_slips_of_a_condition_are_told_with_their_places(here: Path, capsys: Capture) -> None:
    Path("refill.yaml").write_text(BROKEN, encoding="utf-8")
    told = said(capsys, "check", "refill.yaml")
    assert told.out == (
        'refill.yaml:4:21: error: There is no order status "Partail". Did you mean "Partial"?\n'
        '  4 |     when: status == "Partail" and remians > 0\n'
        "    |                     ^\n"
        'refill.yaml:4:35: error: An order has no fact "remians". Did you mean "remains"?\n'
        '  4 |     when: status == "Partail" and remians > 0\n'
        "    |                                   ^\n"
        "2 errors in 1 file; nothing was started.\n"
    )
    assert (told.code, told.err) == (3, "")


def test_the_installed_command_tells_the_same_through_a_pipe(here: Path, capsys: Capture) -> None:
    Path("refill.yaml").write_text(BROKEN, encoding="utf-8")
    environment = {name: text for name, text in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}
    piped = subprocess.run(
        [COMMAND, "check", "refill.yaml"], capture_output=True, text=True, env=environment, timeout=60
    )
    assert (piped.returncode, piped.stdout) == (3, said(capsys, "check", "refill.yaml").out)


def test_checking_loads_no_network_client_scheduler_or_server(here: Path) -> None:
    Path("refill.yaml").write_text(LOW_BALANCE, encoding="utf-8")
    program = (
        "import sys; from smm_rules.cli.app import run; code = run(['check', 'refill.yaml']);"
        "heavy = {'httpx', 'apscheduler', 'uvicorn', 'starlette', 'apprise', 'stamina', 'aiolimiter'};"
        "print(code, sorted(heavy & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert told.stdout.splitlines() == ["ok: 1 rule in 1 file", "0 []"]


def test_directories_are_searched_and_counted(here: Path, capsys: Capture) -> None:
    for name in ("one", "two"):
        (here / "more").mkdir(exist_ok=True)
        text = LOW_BALANCE.replace("name: low", f"name: {name}")
        (here / "more" / f"{name}.yaml").write_text(text, encoding="utf-8")
    assert said(capsys, "check", "more").out == "ok: 2 rules in 2 files\n"


def test_warnings_alone_are_no_failure(here: Path, capsys: Capture) -> None:
    (here / "empty").mkdir()
    told = said(capsys, "check", "empty")
    assert told.out == (
        "empty:1:1: warning: There are no rule files in this directory. Their names end in .yaml or .yml\n"
        "ok: 0 rules in 0 files, 1 warning\n"
    )
    assert told.code == 0


def test_a_path_that_is_not_there_is_an_error(here: Path, capsys: Capture) -> None:
    told = said(capsys, "check", "gone.yaml")
    assert told.out == (
        "gone.yaml:1:1: error: There is no such file\n1 error in 1 file; nothing was started.\n"
    )
    assert told.code == 3


def test_markup_and_control_characters_of_a_file_reach_the_screen_as_text(
    here: Path, capsys: Capture
) -> None:
    Path("odd.yaml").write_text("rules:\n\n  - na[bold]me: x\u202e\n", encoding="utf-8")
    told = said(capsys, "check", "odd.yaml")
    assert "  3 |   - na[bold]me: x·\n" in told.out


# -- with a configuration -----------------------------------------------------------------------------------
def test_without_paths_the_configuration_and_its_rules_are_checked(here: Path, capsys: Capture) -> None:
    configure(here)
    assert said(capsys, "check").out == "ok: 1 rule in 1 file\n"


def test_names_of_channels_are_checked_against_the_configuration_here(here: Path, capsys: Capture) -> None:
    configure(here)
    Path("other.yaml").write_text(LOW_BALANCE.replace("channel: ops", "channel: oops"), encoding="utf-8")
    told = said(capsys, "check", "other.yaml")
    assert 'There is no channel "oops" in the configuration. Did you mean "ops"?' in told.out
    assert told.code == 3


def test_without_a_configuration_names_of_channels_pass(here: Path, capsys: Capture) -> None:
    Path("other.yaml").write_text(LOW_BALANCE.replace("channel: ops", "channel: oops"), encoding="utf-8")
    assert said(capsys, "check", "other.yaml").code == 0


def test_a_broken_configuration_nobody_named_is_a_note(here: Path, capsys: Capture) -> None:
    configure(here).write_text("panels: nonsense\n", encoding="utf-8")
    Path("other.yaml").write_text(LOW_BALANCE, encoding="utf-8")
    told = said(capsys, "check", "other.yaml")
    assert told.out == (
        "note: smm-rules.yaml has problems of its own (see `smm-rules check`), so names of panels and "
        "channels were not checked.\n"
        "ok: 1 rule in 1 file\n"
    )
    assert told.code == 0


def test_a_configuration_among_the_paths_is_known_by_its_keys(here: Path, capsys: Capture) -> None:
    path = configure(here)
    path.rename(here / "settings.yaml")
    assert said(capsys, "check", "settings.yaml").out == "ok: 1 rule in 1 file\n"
    (here / "settings.yaml").write_text("panels: []\nrules: rules\nledger: ledger.db\n", encoding="utf-8")
    told = said(capsys, "check", "settings.yaml")
    assert "settings.yaml:1:9: error: `panels` must not be empty" in told.out
    assert "note: The rules that settings.yaml names were not checked: mend it first.\n" in told.out
    assert told.code == 3


def test_two_configurations_are_wrong_use(here: Path, capsys: Capture) -> None:
    path = configure(here)
    other = here / "other.yaml"
    other.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    assert said(capsys, "check", str(path), str(other)).code == 2


def test_without_any_configuration_there_is_a_way_out(here: Path, capsys: Capture) -> None:
    told = said(capsys, "check")
    assert "Write one with `smm-rules init`" in told.err
    assert told.code == 3


def test_a_named_configuration_that_is_not_there_is_an_error(here: Path, capsys: Capture) -> None:
    told = said(capsys, "check", "--config", "gone.yaml")
    assert "gone.yaml:1:1: error: There is no such file" in told.out
    assert told.code == 3


def test_json_carries_every_problem(here: Path, capsys: Capture) -> None:
    Path("refill.yaml").write_text(BROKEN, encoding="utf-8")
    told = said(capsys, "check", "refill.yaml", "--json")
    document = json.loads(told.out)
    assert (told.code, document["ok"], document["errors"], document["warnings"]) == (3, False, 2, 0)
    assert document["problems"][0] == {
        "file": "refill.yaml",
        "line": 4,
        "column": 21,
        "severity": "error",
        "message": 'There is no order status "Partail"',
        "suggestion": 'Did you mean "Partial"?',
    }


# -- live ---------------------------------------------------------------------------------------------------
def test_live_asks_each_panel_and_changes_nothing(
    here: Path, capsys: Capture, smm_panel: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORTH_KEY", DEFAULT_KEY)
    configure(here, url=smm_panel.url)
    told = said(capsys, "check", "--live", "--json")
    (panel,) = json.loads(told.out)["panels"]
    assert told.code == 0
    assert (panel["panel"], panel["error"]) == ("north", "")
    assert panel["services"] > 0
    assert panel["milliseconds"] >= 0
    asked = {entry.action for entry in smm_panel.journal.entries if entry.action}
    assert asked == {"balance", "services"}
    assert said(capsys, "check", "--live").out.splitlines()[-1] == "ok: 1 rule in 1 file"


def test_live_with_a_wrong_key_exits_with_the_panels_code(
    here: Path, capsys: Capture, smm_panel: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORTH_KEY", KEY)
    configure(here, url=smm_panel.url)
    told = said(capsys, "check", "--live")
    assert "1 of 1 panel failed.\n" in told.out
    assert told.code == 5
    assert KEY not in told.out + told.err


def test_live_without_the_key_is_a_fault_of_the_set_up(here: Path, capsys: Capture) -> None:
    configure(here)
    told = said(capsys, "check", "--live")
    assert "The environment variable NORTH_KEY is not set. Set it for the daemon" in told.out
    assert told.code == 3


def test_live_asks_nobody_while_there_are_errors(
    here: Path, capsys: Capture, smm_panel: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORTH_KEY", DEFAULT_KEY)
    configure(here, url=smm_panel.url, rules=BROKEN)
    assert said(capsys, "check", "--live").code == 3
    assert [entry for entry in smm_panel.journal.entries if entry.action] == []
