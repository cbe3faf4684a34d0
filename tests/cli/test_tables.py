"""Tables on a narrow terminal, and paths: nothing that names a thing is cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from smm_rules.cli.terminal import new_table, seen_from_here

ROW = ("4", "confirmed", "order/main/1003", "reorder-canceled", "the panel refused with a long sentence")


def shown(width: int, whole: tuple[str, ...]) -> str:
    table = new_table("id", "state", "about", "rule", "result", whole=whole)
    table.add_row(*ROW)
    console = Console(width=width)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


@pytest.mark.parametrize("width", [200, 80, 60])
def test_names_stay_whole(width: int) -> None:
    text = shown(width, ("about", "rule"))
    assert [name for name in ROW[2:4] if name not in text] == []
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


@pytest.mark.parametrize("width", [200, 80, 40, 30])
def test_nothing_is_cut_where_nothing_must_stay_whole(width: int) -> None:
    letters = "".join(shown(width, ()).split())
    assert "\N{HORIZONTAL ELLIPSIS}" not in letters
    assert sum(letters.count(digit) for digit in "1003") == sum("".join(ROW).count(digit) for digit in "1003")


def test_a_path_below_is_named_without_the_way_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert seen_from_here(tmp_path / "rules" / "a.yaml") == Path("rules/a.yaml")
    assert seen_from_here(tmp_path.parent / "a.yaml") == tmp_path.parent / "a.yaml"
    assert seen_from_here(Path("rules/a.yaml")) == Path("rules/a.yaml")


def test_seen_from_the_root_a_path_keeps_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert seen_from_here(Path("/etc/smm-rules/rules")) == Path("/etc/smm-rules/rules")
