"""`check` and `run` judge a set-up alike: one validator, one wording."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import KEY, configure, said
from tests.corpus.corpus import BROKEN

Capture = pytest.CaptureFixture[str]

CONFIGURATION = """\
panels:
  - {{name: main, url: "https://main.example/api/v2", key: {{env: MAIN_KEY}}}}
  - {{name: second, url: "https://second.example/api/v2", key: {{env: SECOND_KEY}}}}
channels:
  ops: {{log: {{}}}}
  hook: {{webhook: {{url: {{env: HOOK_URL}}}}}}
rules: "{rules}"
ledger: ledger.db
"""


def test_what_check_refuses_the_daemon_refuses_in_the_same_words(here: Path, capsys: Capture) -> None:
    compared = 0
    for broken in sorted(BROKEN.glob("*.yaml")):
        (here / "smm-rules.yaml").write_text(CONFIGURATION.format(rules=broken), encoding="utf-8")
        checked, ran = said(capsys, "check"), said(capsys, "run")
        assert (broken.name, checked.code, ran.code) == (broken.name, 3, 3)
        assert ran.err.splitlines()[:-1] == _problems(checked.out)
        compared += 1
    assert compared >= 150
    assert not (here / "ledger.db").exists()


@pytest.mark.parametrize("slip", ["chanels: {}", "mode: lvie", "rules: nowhere", "ledger: []"])
def test_a_faulty_configuration_is_refused_by_both_in_the_same_words(
    slip: str, here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORTH_KEY", KEY)
    path = configure(here)
    key = slip.partition(":")[0]
    kept = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(key)]
    path.write_text("\n".join([*kept, slip]) + "\n", encoding="utf-8")
    checked, ran = said(capsys, "check"), said(capsys, "run")
    assert (checked.code, ran.code) == (3, 3)
    assert ran.err.splitlines()[:-1] == _problems(checked.out)


def _problems(out: str) -> list[str]:
    """What `check` says of errors, without its notes and its closing line."""
    return [line for line in out.splitlines()[:-1] if not line.startswith("note: ")]
