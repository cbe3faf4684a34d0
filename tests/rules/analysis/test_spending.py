"""A rule that buys with nothing that bounds what it may spend is warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from smm_rules.config import load_configuration
from smm_rules.document import Severity
from smm_rules.rules import Scope, load_rules
from smm_rules.rules.scope import scope_of

BUYS = """\
rules:
  - name: again
    watch: order
    when: status == "Canceled"
    do: [{steps}]
    limit: {{per_order: 1}}
    {more}
"""


def warnings(
    directory: Path, guarded: bool | None, steps: str = "reorder", more: str = "mode: live"
) -> list[str]:
    path = directory / "rules.yaml"
    path.write_text(BUYS.format(steps=steps, more=more), encoding="utf-8")
    scope = Scope(frozenset({"main"}), {}, spend_guarded=guarded)
    found = [one for one in load_rules([path], scope).warnings if "may spend" in one.message]
    assert {one.severity for one in found} <= {Severity.WARNING}
    assert {one.position.line for one in found} <= {2}
    return [one.message for one in found]


@pytest.mark.parametrize(
    ("guarded", "steps", "more", "count"),
    [
        (False, "reorder", "mode: live", 1),
        (True, "reorder", "mode: live", 0),
        (None, "reorder", "mode: live", 0),
        (False, "reorder", "spend: 20/day", 0),
        (False, "reorder", "mode: dry_run", 0),
        (False, "refill", "mode: live", 0),
        (False, "refill", "otherwise: [reorder]", 1),
    ],
)
def test_only_what_buys_without_a_bound(
    tmp_path: Path, guarded: bool | None, steps: str, more: str, count: int
) -> None:
    assert len(warnings(tmp_path, guarded, steps, more)) == count


@pytest.mark.parametrize(
    ("guards", "guarded"),
    [
        ("", False),
        ("guards: {spend: 20/day}", True),
        ("guards: {actions: 5/day}", False),
    ],
)
def test_what_a_configuration_bounds(tmp_path: Path, guards: str, guarded: bool) -> None:
    path = tmp_path / "smm-rules.yaml"
    panels = "panels: [{name: main, url: 'https://x.example', key: {env: KEY}}]\n"
    path.write_text(f"{panels}rules: rules\nledger: ledger.db\n{guards}\n", encoding="utf-8")
    assert scope_of(load_configuration(path, {})).spend_guarded is guarded


def test_a_bound_on_every_panel_is_one(tmp_path: Path) -> None:
    path = tmp_path / "smm-rules.yaml"
    one = "{name: one, url: 'https://x.example', key: {env: KEY}, guards: {spend: 5/day}}"
    other = "{name: other, url: 'https://y.example', key: {env: KEY}}"
    text = "panels: [{panels}]\nrules: rules\nledger: ledger.db\n"
    path.write_text(text.replace("{panels}", one), encoding="utf-8")
    assert scope_of(load_configuration(path, {})).spend_guarded is True
    path.write_text(text.replace("{panels}", f"{one}, {other}"), encoding="utf-8")
    assert scope_of(load_configuration(path, {})).spend_guarded is False
