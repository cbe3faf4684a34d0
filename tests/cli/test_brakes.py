"""`smm-rules pause`, `resume`, `panic` and `pauses`."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stops import StopKind, StopScope
from tests.cli.command import configure, said
from tests.cli.stage import intent, stage
from tests.ledger.builders import NOTHING, T0, ended

Capture = pytest.CaptureFixture[str]
NOW = T0 + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: NOW)
    for command in ("pause", "resume", "panic"):
        monkeypatch.setattr(f"smm_rules.cli.{command}.operator_name", lambda: "operator:ann")


def pauses(capsys: Capture, *more: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(said(capsys, "pauses", "list", "--json", *more).out)
    return found


@pytest.fixture
def ledger(here: Path) -> Path:
    configure(here)
    stage(here / "ledger.db", intent(IntentState.PLANNED))
    return here / "ledger.db"


def test_a_rule_is_paused_and_goes_on(ledger: Path, capsys: Capture) -> None:
    paused = said(capsys, "pause", "rule", "low", "--reason", "wrong numbers", "--for", "2h")
    assert paused.code == 0
    assert "rule low: paused by ann since 2026-03-01 13:00:00Z, until 2026-03-01 15:00:00Z" in paused.out
    [one] = pauses(capsys)
    assert (one["kind"], one["scope"], one["name"], one["reason"]) == (
        "pause",
        "rule",
        "low",
        "wrong numbers",
    )
    assert "rule low: paused by ann" in said(capsys, "status").out
    assert json.loads(said(capsys, "status", "--json").out)["stopped"][0]["name"] == "low"

    assert "Ended: rule low" in said(capsys, "resume", "rule", "low").out
    assert pauses(capsys) == []
    [past] = pauses(capsys, "--all")
    assert past["ended_by"] == "operator:ann"
    assert said(capsys, "pauses", "list").err == "Nothing is stopped.\n"


def test_a_second_pause_takes_the_place_of_the_first(ledger: Path, capsys: Capture) -> None:
    for reason in ("one", "two"):
        said(capsys, "pause", "panel", "north", "--reason", reason)
    assert [one["reason"] for one in pauses(capsys)] == ["two"]
    assert len(pauses(capsys, "--all")) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("pause", "rule", "--reason", "x"), "say which rule"),
        (("pause", "all", "low", "--reason", "x"), "`all` takes no name"),
        (("pause", "rule", "low"), "Missing option '--reason'"),
        (("pause", "rule", "lwo", "--reason", "x"), 'Did you mean "low"?'),
        (("pause", "panel", "south", "--reason", "x"), "There is no panel south"),
        (("pause", "all", "--reason", "x", "--for", "soon"), "soon"),
        (("pause", "all", "--reason", "x", "--until", "2020-01-01"), "is over already"),
        (("pause", "all", "--reason", "x", "--until", "noon"), "is no moment"),
        (
            ("pause", "all", "--reason", "x", "--for", "1h", "--until", "2030-01-01"),
            "either --for or --until",
        ),
    ],
)
def test_what_can_not_be_paused_is_refused(
    ledger: Path, capsys: Capture, arguments: tuple[str, ...], told: str
) -> None:
    refused = said(capsys, *arguments)
    assert refused.code == 2
    assert told in refused.err
    assert pauses(capsys) == []


def test_broken_rules_keep_nobody_from_pausing_one(ledger: Path, capsys: Capture) -> None:
    (ledger.parent / "rules" / "rules.yaml").write_text("rules: [{name: low}]", encoding="utf-8")
    assert said(capsys, "pause", "rule", "low", "--reason", "x").code == 0


def test_what_is_not_stopped_can_not_go_on(ledger: Path, capsys: Capture) -> None:
    said(capsys, "pause", "panel", "north", "--reason", "x")
    refused = said(capsys, "resume", "rule", "low")
    assert refused.code == 1
    assert "rule low isn't stopped" in refused.err
    assert "panel north: paused" in refused.err


def test_a_panic_stops_everything_and_says_what_stays_planned(ledger: Path, capsys: Capture) -> None:
    panic = said(capsys, "panic", "--reason", "the balance falls")
    assert panic.code == 0
    assert "Kept planned: 1 action." in panic.out
    [one] = pauses(capsys)
    assert (one["kind"], one["scope"], one["reason"]) == ("panic", "all", "the balance falls")
    assert said(capsys, "resume", "all").code == 2  # nobody to ask
    assert said(capsys, "resume", "all", "--yes").code == 0
    assert pauses(capsys) == []


def test_a_panic_says_what_has_no_answer_yet(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", intent(IntentState.SENDING))
    panic = said(capsys, "panic", "--timeout", "0")
    assert panic.code == 1
    assert "still under way: intent 1" in " ".join(panic.err.split())
    assert json.loads(said(capsys, "panic", "--timeout", "0", "--json").out)["under_way"][0]["id"] == 1


def test_resume_ends_what_tripped_too(ledger: Path, capsys: Capture) -> None:
    async def trip(opened: SqliteLedger) -> None:
        for kind in (StopKind.BREAKER, StopKind.SWEEP, StopKind.PAUSE):
            await opened.stop(kind, StopScope.RULE, "low", "too much", "smm-rules", NOW)

    stage(ledger, trip)
    assert said(capsys, "resume", "rule", "low").out.count("Ended: ") == 3
    assert pauses(capsys) == []


def test_nothing_is_placed_while_all_is_stopped(
    ledger: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORTH_KEY", "key")
    said(capsys, "panic")
    placed = said(capsys, "orders", "place", "--service", "1", "--link", "https://x.example", "--yes")
    assert placed.code == 1
    assert "Nothing is sent now. everything: panic by ann" in " ".join(placed.err.split())


def test_what_ends_is_waited_for(here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was being sent when the panic began settles; only then does the command end."""
    configure(here)
    stage(here / "ledger.db", intent(IntentState.SENDING))

    async def settle(_: float) -> None:
        async with await SqliteLedger.open(here / "ledger.db") as other:
            await other.settle(1, ended(IntentState.CONFIRMED), NOTHING, NOW, "d1")

    monkeypatch.setattr("smm_rules.cli.brakes.under_way.asyncio.sleep", settle)
    assert said(capsys, "panic").code == 0
