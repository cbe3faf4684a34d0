"""`smm-rules alerts` and `silence`: what goes on is listed, shown, acknowledged and kept back."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.engine.firing import AlertDraft, MessageDraft, Telling
from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.alerts import AlertState, KeptBack
from smm_rules.ledger.audit import AuditKind, AuditQuery
from smm_rules.ledger.records import Observed, Remembered, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rules.model import StepKind
from tests.cli.command import configure, said
from tests.cli.stage import BALANCE, NOW, stage
from tests.ledger.builders import new_order, order

Capture = pytest.CaptureFixture[str]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: NOW)


async def _tell(ledger: SqliteLedger, entity: Entity, rule: str, over: bool = False) -> None:
    memory = Memory() if over else Memory(true_since=NOW - HOUR, fired_at=NOW - HOUR)
    if entity.kind is EntityKind.ORDER:
        await ledger.track([new_order(entity.id)], NOW - HOUR)
    seen = Observed(entity, {"amount": 5} if entity == BALANCE else {}, changed=False, due_at=NOW)
    await ledger.record(Sweep(NOW - HOUR, (seen,), (Remembered(rule, entity, memory),)))
    alert = AlertDraft(rule, entity, NOW - HOUR, Telling.FIRED)
    draft = MessageDraft(f"{alert.key}:do.0", StepKind.NOTIFY, "ops", "", "5 left", "warning", alert=alert)
    await ledger.enqueue(draft, NOW - HOUR)


async def three_alerts(ledger: SqliteLedger) -> None:
    """1 was told, 2 is silenced, 3 is over."""
    await _tell(ledger, BALANCE, "low")
    [first] = await ledger.deliverable(NOW, 5)
    await ledger.delivered(first.id, NOW)
    await _tell(ledger, order(7), "late")
    [second] = await ledger.deliverable(NOW, 5)
    await ledger.keep_back([KeptBack(second.id, "silenced", NOW + HOUR)], NOW)
    await _tell(ledger, order(8), "late")
    memory = Remembered("late", order(8), Memory())
    await ledger.record(Sweep(NOW, remembered=(memory,)))


@pytest.fixture
def alerts(here: Path) -> Path:
    """A directory with a configuration and a ledger with these alerts."""
    configure(here)
    stage(here / "ledger.db", three_alerts)
    return here


def test_what_goes_on_is_listed_newest_first_with_how_far_it_was_told(alerts: Path, capsys: Capture) -> None:
    told = said(capsys, "alerts", "list")
    assert told.code == 0
    late, low = told.out.splitlines()[1:]
    assert late.split()[:5] == ["2", "firing", "warning", "late", "order/north/7"]
    assert late.rstrip().endswith("no: silenced")
    assert low.rstrip().endswith("yes")


def test_what_is_over_is_listed_when_asked_for(alerts: Path, capsys: Capture) -> None:
    told = json.loads(said(capsys, "alerts", "list", "--all", "--json").out)
    assert [(one["id"], one["state"], one["reasons"]) for one in told] == [
        (3, "resolved", []),
        (2, "firing", ["silenced"]),
        (1, "firing", ["sent"]),
    ]
    assert said(capsys, "alerts", "list", "--limit", "1").err.startswith("There are more")


def test_the_outbox_says_why_a_message_waits(alerts: Path, capsys: Capture) -> None:
    told = said(capsys, "outbox", "list", "--state", "pending")
    assert [line.split()[-1] for line in told.out.splitlines() if "silenced" in line] == ["silenced"]


def test_an_alert_is_shown_with_its_messages(alerts: Path, capsys: Capture) -> None:
    told = said(capsys, "alerts", "show", "2")
    assert told.code == 0
    assert "Alert 2: late on order/north/7" in told.out
    assert told.out.splitlines()[-1].split() == ["2", "fired", "ops", "pending", "silenced"]
    [message] = json.loads(said(capsys, "alerts", "show", "2", "--json").out)["messages"]
    assert (message["state"], message["why"]) == ("pending", "silenced")
    missing = said(capsys, "alerts", "show", "9")
    assert missing.code == 1
    assert "There is no alert 9" in missing.err


def test_an_alert_is_acknowledged_by_name_and_reason(alerts: Path, capsys: Capture) -> None:
    assert said(capsys, "alerts", "ack", "1", "--reason", "topping it up").code == 0
    again = said(capsys, "alerts", "ack", "1", "3", "9", "--reason", "again")
    assert again.code == 1
    assert "has acknowledged alert 1 already" in again.err
    assert "alert 3 is over" in again.err
    assert "there is no alert 9" in again.err
    shown = said(capsys, "alerts", "show", "1").out
    assert "acknowledged" in shown
    assert "topping it up" in shown

    async def read() -> tuple[list[AlertState], list[object]]:
        async with await SqliteLedger.open(alerts / "ledger.db") as ledger:
            page = await ledger.audit_page(AuditQuery(kinds=(AuditKind.ALERT,)), 0, 5)
            return [one.state for one in await ledger.alerts((), 5)], [entry.data["reason"] for entry in page]

    states, reasons = asyncio.run(read())
    assert states == [AlertState.RESOLVED, AlertState.FIRING, AlertState.ACKNOWLEDGED]
    assert reasons == ["topping it up"]


def test_an_empty_list_says_so(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db")
    assert said(capsys, "alerts", "list").err.strip() == "No alert goes on."
    assert said(capsys, "alerts", "list", "--json").out.strip() == "[]"
    assert said(capsys, "silence", "list").err.strip() == "There is no silence."


# -- silences -----------------------------------------------------------------------------------------------
def test_a_silence_says_what_it_matches_and_how_to_end_it(alerts: Path, capsys: Capture) -> None:
    told = said(
        capsys, "silence", "add", "--rule", "l*", "--panel", "north", "--for", "2h", "--reason", "known"
    )
    assert told.code == 0
    assert "rule l*, panel north, until 2026-03-01 17:00:00Z" in told.out
    assert "It matches 2 alerts that go on now." in told.out
    assert "smm-rules silence end 1" in told.out
    [listed] = json.loads(said(capsys, "silence", "list", "--json").out)
    assert (listed["matcher"], listed["reason"]) == ({"rule": "l*", "panel": "north"}, "known")
    assert listed["by"].startswith("operator:")


def test_a_silence_is_ended_once(alerts: Path, capsys: Capture) -> None:
    said(capsys, "silence", "add", "--entity", "7", "--until", "2026-03-02", "--reason", "known")
    assert said(capsys, "silence", "end", "1").code == 0
    assert said(capsys, "silence", "end", "1").code == 1
    assert said(capsys, "silence", "list").out == ""
    assert "ended" in said(capsys, "silence", "list", "--all").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--for", "2h"), "say which alerts"),
        (("--rule", "low"), "say how long"),
        (("--rule", "low", "--for", "0s"), "over at once"),
        (("--rule", "low", "--for", "2h", "--until", "2027-01-01"), "either --for or --until"),
        (("--kind", "orders", "--for", "2h"), "is not one of"),
    ],
)
def test_a_silence_that_says_too_little_is_refused(
    alerts: Path, capsys: Capture, arguments: tuple[str, ...], message: str
) -> None:
    told = said(capsys, "silence", "add", *arguments, "--reason", "known")
    assert (told.code, message in told.err) == (2, True), told.err


# -- explain ------------------------------------------------------------------------------------------------
def test_explain_says_what_keeps_messages_back(alerts: Path, capsys: Capture) -> None:
    path = alerts / "smm-rules.yaml"
    settings = """\
alerts:
  quiet_hours: [{channels: ops, from: "14:00", to: "16:00"}]
  maintenance: [{panel: north, schedule: "0 14 * * *", for: 3h}]
"""
    path.write_text(path.read_text(encoding="utf-8") + settings, encoding="utf-8")
    said(capsys, "silence", "add", "--rule", "low", "--for", "2h", "--reason", "known")
    said(capsys, "silence", "add", "--rule", "other", "--for", "2h", "--reason", "not mine")
    notes = json.loads(said(capsys, "explain", "low", "balance/north", "--json").out)["notes"]
    [silence, maintenance, quiet] = [note for note in notes if "wait until" in note or "keeps its" in note]
    assert silence.startswith("silence 1 of operator:")
    assert silence.endswith("keeps its messages back until 2026-03-01 17:00:00Z: known")
    assert maintenance == "panel north is in maintenance: its messages wait until 2026-03-01 17:00:00Z"
    assert quiet == "it is quiet on channel ops: its info messages wait until 2026-03-01 16:00:00Z"


def test_explain_of_a_moment_gone_by_tells_no_silence_of_today(alerts: Path, capsys: Capture) -> None:
    said(capsys, "silence", "add", "--rule", "low", "--for", "2h", "--reason", "known")
    past = json.loads(said(capsys, "explain", "low", "balance/north", "--at", "1h", "--json").out)
    assert not any("silence" in note for note in past["notes"])
