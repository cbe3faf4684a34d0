"""`smm-rules check` as it is installed, on the slips everybody makes."""

from __future__ import annotations

from pathlib import Path

from tests.endtoend.processes import start_installed

RULES = """\
rules:
  - name: refill-partial
    watch: order
    description: Two slips in one line
    when: status == "Partail" and remians > 0
    do: [{refill: }]
    limit: {per_order: 1}
"""


async def test_two_slips_are_both_told_with_place_and_suggestion(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES)
    check = start_installed(["check", "rules.yaml"], tmp_path, {"NO_COLOR": "1"}, "check")
    assert await check.ended() == 3
    said = check.output.read_text() + check.errors.read_text()
    assert "rules.yaml:5:21: error: " in said
    assert "rules.yaml:5:35: error: " in said
    assert 'Did you mean "Partial"?' in said
    assert 'Did you mean "remains"?' in said
    assert "Traceback" not in said


async def test_the_same_rules_mended_pass(tmp_path: Path) -> None:
    mended = RULES.replace("Partail", "Partial").replace("remians", "remains")
    (tmp_path / "rules.yaml").write_text(mended)
    check = start_installed(["check", "rules.yaml"], tmp_path, {"NO_COLOR": "1"}, "check")
    assert await check.ended() == 0, check.tail()
