"""Exchange rates in the configuration."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.config.load import load_configuration
from smm_rules.document import DocumentError

CONFIGURATION = """\
panels:
  - {name: main, url: "https://main.example/api/v2", key: {env: MAIN_KEY}}
rules: rules
ledger: ledger.db
"""


def written(path: Path, text: str) -> Path:
    file = path / "smm-rules.yaml"
    file.write_text(CONFIGURATION + text)
    return file


def test_rates_are_dated_and_exact(tmp_path: Path) -> None:
    text = "exchange_rates: {base: usd, as_of: 2026-11-20, rates: {eur: 1.0825, INR: 0.0118}}\n"

    rates = load_configuration(written(tmp_path, text), {}).exchange_rates

    assert rates is not None
    assert (rates.base, rates.as_of, rates.max_age) == ("USD", date(2026, 11, 20), timedelta(days=30))
    assert rates.rates == {"EUR": Decimal("1.0825"), "INR": Decimal("0.0118")}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{base: USD, rates: {EUR: 1.08}}", "The key `as_of` is missing"),
        ("{base: USD, date: 2026-11-20, rates: {EUR: 1.08}}", "Write as_of: 2026-11-20"),
        ("{base: USD, as_of: soon, rates: {EUR: 1.08}}", "must be the day the rates are of, like 2026-11-20"),
        ("{base: USD, as_of: 2026-11-20, rates: {EUR: 0}}", "must be a rate above 0"),
        ("{base: USD, as_of: 2026-11-20, rates: {EUR: -1.08}}", "must be a rate above 0"),
        ("{base: USD, as_of: 2026-11-20, rates: {EUR: true}}", "must be a rate above 0"),
        ("{base: Dollar, as_of: 2026-11-20, rates: {EUR: 1.08}}", "must be a currency of three letters"),
        ("{base: USD, as_of: 2026-11-20, rates: {Euro: 1.08}}", "must be a currency of three letters"),
        ("{base: USD, as_of: 2026-11-20, rates: {}}", "rates"),
        ("{base: USD, as_of: 2026-11-20, rates: {EUR: 1.08, eur: 1.1}}", "must not name a currency twice"),
        ("{base: usd, as_of: 2026-11-20, rates: {EUR: 1.08, USD: 2}}", "must not name USD"),
        ("{base: USD, as_of: 2026-11-20, max_age: 1h, rates: {EUR: 1.08}}", "must be at least 1d"),
    ],
)
def test_every_fault_says_what_to_write(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DocumentError) as raised:
        load_configuration(written(tmp_path, f"exchange_rates: {text}\n"), {})

    assert any(told in str(problem) for problem in raised.value.problems), raised.value.problems
