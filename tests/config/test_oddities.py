"""What loads as a configuration and can hardly be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from smm_rules.config import load_configuration, oddities
from smm_rules.document import Problem, Severity, read_document

TWO = """\
panels:
  - name: main
    url: https://panel.example/api/v2
    key: {env: MAIN_KEY}
  - name: second
    url: %s
    key: %s
rules: rules
ledger: x.db
"""


def odd(tmp_path: Path, text: str) -> tuple[Problem, ...]:
    path = tmp_path / "smm-rules.yaml"
    path.write_text(text, encoding="utf-8")
    return oddities(read_document(path), load_configuration(path, {}))


@pytest.mark.parametrize(
    "url",
    ["https://panel.example/api/v2", "https://PANEL.example/api/v2/", "https://panel.example:443/api/v2"],
)
def test_one_account_under_two_names(tmp_path: Path, url: str) -> None:
    (found,) = odd(tmp_path, TWO % (url, "{env: MAIN_KEY}"))

    assert (found.position.line, found.position.column, found.severity) == (5, 11, Severity.WARNING)
    assert found.message == (
        'The panels "main" and "second" are one account: they have the same address and key, so an order '
        "that is known under both names is acted on, and paid for, twice"
    )


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://panel.example/api/v2", "{env: OTHER_KEY}"),
        ("https://other.example/api/v2", "{env: MAIN_KEY}"),
        ("https://panel.example/api/V2", "{env: MAIN_KEY}"),
    ],
)
def test_two_accounts(tmp_path: Path, url: str, key: str) -> None:
    assert odd(tmp_path, TWO % (url, key)) == ()
