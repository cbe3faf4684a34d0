"""`smm-rules statement`: in words, as JSON and for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.ledger.records import IntentState, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rules.model import StepKind
from tests.cli.command import configure, said
from tests.cli.stage import stage
from tests.ledger.builders import BALANCE, MINUTE, T0, bring_to, draft, observed

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: T0 + timedelta(hours=1))


async def a_reorder_and_a_top_up(ledger: SqliteLedger) -> None:
    for minute, amount in ((0, "100"), (5, "147.50")):
        facts = {"amount": Decimal(amount), "currency": "USD"}
        await ledger.record(Sweep(T0 + minute * MINUTE, (observed(BALANCE, facts),)))
    await bring_to(ledger, IntentState.CONFIRMED, draft(kind=StepKind.REORDER, estimate="2.50"))


@pytest.fixture
def here_with_books(here: Path) -> Path:
    configure(here)
    stage(here / "ledger.db", a_reorder_and_a_top_up)
    return here


def test_today_is_told_with_what_nobody_knows(here_with_books: Path, capsys: Capture) -> None:
    found = said(capsys, "statement")
    assert found.code == 0
    assert found.out.splitlines()[0] == "Statement of 2026-03-01"
    assert "top-up: 1 order for 2.50 USD" in found.out
    assert "NOT EXPLAINED in all: +50.00 USD" in found.out
    assert "Head of the record of decisions: 4:" in found.out


def test_scripts_get_every_figure(here_with_books: Path, capsys: Capture) -> None:
    [panel] = json.loads(said(capsys, "statement", "--day", "2026-03-01", "--json").out)["panels"]
    assert [(line["rule"], line["spent"]) for line in panel["lines"]] == [("top-up", "2.50")]
    balance = panel["balance"]
    assert (balance["opening"], balance["closing"], balance["unexplained"]) == ("100", "147.50", "50.00")
    assert balance["agrees"] is False


def test_a_spreadsheet_gets_a_line_for_what_is_not_explained(here_with_books: Path, capsys: Capture) -> None:
    rows = list(csv.DictReader(io.StringIO(said(capsys, "statement", "--csv").out)))
    assert [(row["rule"], row["spent"], row["refunded"]) for row in rows] == [
        ("top-up", "2.50", "0"),
        ("NOT EXPLAINED", "-2.50", "47.50"),
    ]


def test_days_are_those_of_the_zone(here_with_books: Path, capsys: Capture) -> None:
    def span(*arguments: str) -> tuple[str, str]:
        shape = json.loads(said(capsys, "statement", "--json", *arguments).out)
        return shape["since"], shape["until"]

    berlin = span("--day", "2026-03-29", "--time-zone", "Europe/Berlin")
    assert berlin == ("2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00")
    assert span("--since", "2h")[0] == (T0 - timedelta(hours=1)).isoformat()


def test_another_time_has_other_figures(here_with_books: Path, capsys: Capture) -> None:
    assert "nothing was done" in said(capsys, "statement", "--day", "2026-02-28").out


def test_a_day_that_is_none_and_a_time_that_is_two_are_wrong_use(
    here_with_books: Path, capsys: Capture
) -> None:
    assert said(capsys, "statement", "--day", "yesterday").code == 2
    assert said(capsys, "statement", "--day", "2026-03-01", "--since", "2h").code == 2
    assert said(capsys, "statement", "--until", "2h").code == 2
    assert said(capsys, "statement", "--panel", "nroth").code == 2


def test_the_time_the_ledger_no_longer_keeps_is_said(here_with_books: Path, capsys: Capture) -> None:
    assert "no longer keeps all of this time" in said(capsys, "statement", "--day", "2025-01-01").out
