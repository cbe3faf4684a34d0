"""`smm-rules fmt`: files laid out in place, checked, or shown, and left alone where that isn't safe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import LOW_BALANCE, configure, said

Capture = pytest.CaptureFixture[str]
UNTIDY = LOW_BALANCE.replace(
    "  - name: low\n    watch: balance\n", "- watch: balance\n  name: low\n"
).replace("    ", "  ")


def test_a_file_is_laid_out_in_place_and_keeps_its_mode(here: Path, capsys: Capture) -> None:
    path = Path("low.yaml")
    path.write_text(UNTIDY, encoding="utf-8")
    path.chmod(0o640)
    told = said(capsys, "fmt", "low.yaml")
    assert (told.out, told.code) == ("changed low.yaml\n1 file changed, 0 left as they were\n", 0)
    assert path.read_text("utf-8") == LOW_BALANCE
    assert path.stat().st_mode & 0o7777 == 0o640
    assert [each.name for each in here.iterdir()] == ["low.yaml"]


def test_a_link_stays_a_link(here: Path, capsys: Capture) -> None:
    Path("low.yaml").write_text(UNTIDY, encoding="utf-8")
    Path("link.yaml").symlink_to("low.yaml")
    said(capsys, "fmt", "link.yaml")
    assert Path("link.yaml").is_symlink()
    assert Path("low.yaml").read_text("utf-8") == LOW_BALANCE


def test_check_writes_nothing_and_fails(here: Path, capsys: Capture) -> None:
    Path("low.yaml").write_text(UNTIDY, encoding="utf-8")
    told = said(capsys, "fmt", "--check", "low.yaml")
    assert told.out == "would change low.yaml\n1 file would change, 0 left as they were\n"
    assert told.code == 1
    assert Path("low.yaml").read_text("utf-8") == UNTIDY


def test_a_difference_is_shown(here: Path, capsys: Capture) -> None:
    Path("low.yaml").write_text(UNTIDY, encoding="utf-8")
    told = said(capsys, "fmt", "--diff", "low.yaml")
    assert "-- watch: balance\n-  name: low\n" in told.out
    assert "+  - name: low\n+    watch: balance\n" in told.out
    assert told.code == 0
    assert Path("low.yaml").read_text("utf-8") == UNTIDY


def test_the_rules_of_the_configuration_by_default(here: Path, capsys: Capture) -> None:
    configure(here, rules=UNTIDY)
    told = said(capsys, "fmt")
    assert told.code == 0
    assert Path("rules/rules.yaml").read_text("utf-8") == LOW_BALANCE


def test_a_file_that_is_no_yaml_is_told_of_and_left(here: Path, capsys: Capture) -> None:
    Path("bad.yaml").write_text("rules: [\n", encoding="utf-8")
    told = said(capsys, "fmt", "bad.yaml")
    assert told.code == 3
    assert "bad.yaml:1:8" in told.err
    assert Path("bad.yaml").read_text("utf-8") == "rules: [\n"
