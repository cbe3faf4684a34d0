"""Rules that can hardly be meant are told of at the start and at each reload, in the words of `check`."""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from smm_rules.daemon.rules_in_force import RulesInForce
from smm_rules.rules.scope import Scope

NEVER = """\
rules:
  - name: low
    watch: balance
    when: amount < 20 and amount > 30
    do: [{log: {message: low}}]
"""


async def test_warnings_are_told_at_the_start_and_when_a_set_is_adopted(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(NEVER, encoding="utf-8")

    with capture_logs() as logged:
        rules = RulesInForce([path], Scope(frozenset(), {}))
        assert logged == []  # the daemon is ready before they are worked out
        await rules.tell_warnings()
        rules.adopt(rules.read())

    told = {
        "event": "rules.warned",
        "log_level": "warning",
        "place": f"{path}:4:27",
        "warning": "`amount > 30` and `amount < 20` can't both be true, so the rule never fires",
    }
    assert logged == [told, told]
