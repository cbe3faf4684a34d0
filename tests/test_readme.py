"""What the README shows is what the program prints, and it tells of every command and every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smm_rules.cli.app import COMMANDS, run
from smm_rules.cli.exits import Exit

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

REFILL = """\
rules:
  - name: refill-partial
    description: A panel delivered only part; ask it to top the order up
    watch: order
    when: status == "Partail" and remians > 0
    for: 10m
    do: [refill]
    limit: {per_order: 3, every: 24h}
"""
PANEL = ("--panel-name", "main", "--panel-url", "https://p.example/api/v2", "--key-env", "MAIN_PANEL_KEY")
ORDERS = "order,service,link,quantity,placed_at\n"


def test_the_sample_of_check_is_what_it_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "refill.yaml").write_text(REFILL, encoding="utf-8")
    sample = README.partition("$ smm-rules check rules/refill.yaml\n")[2].partition("```")[0]

    assert run(["check", "rules/refill.yaml"]) == Exit.CONFIGURATION
    assert capsys.readouterr().out == sample


def test_the_sample_of_an_import_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sample = ORDERS + README.partition(ORDERS)[2].partition("END\n")[0]
    (tmp_path / "my-orders.csv").write_text(sample, encoding="utf-8")
    said = README.partition("smm-rules orders import my-orders.csv")[2].partition("\n")[0]

    assert run(["init", *PANEL]) == Exit.DONE
    capsys.readouterr()
    assert run(["orders", "import", "my-orders.csv"]) == Exit.DONE
    assert capsys.readouterr().out.strip() == said.strip(" #")


def test_every_command_is_told_of() -> None:
    table = README.partition("| command |")[2].partition("\n\n")[0]
    told = set(re.findall(r"`([a-z]+)", table))
    assert COMMANDS.keys() - told == set()


def test_every_exit_code_is_told_of() -> None:
    sentence = README.partition("Exit codes:")[2].partition("\n\n")[0]
    told = {int(code) for code in re.findall(r"(?:^|· )\s*(\d+)", sentence.replace("\n", " "))}
    assert {int(code) for code in Exit} - told == set()


def test_every_page_it_names_is_there() -> None:
    named = re.findall(r"\]\(([^)#:]+)\)", README)
    assert [page for page in named if not (ROOT / page).exists()] == []
    assert len(named) >= 10
