"""Frames of `smm-rules top`: what needs the operator comes first, at every size; nothing is cut unsaid."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from smm_rules.cli.top.frame import Section, frame
from smm_rules.cli.top.view import PanelView, RuleView, View
from smm_rules.engine.guards import Scope
from smm_rules.facts.allowance import Per
from smm_rules.ledger.alerts import Alert, AlertState
from smm_rules.ledger.holds import HoldReason
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.records import Heartbeat, IntentState, Totals
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.polling.request_rate import RequestRate, read_rates, written
from smm_rules.standing.budgets import Budget
from smm_rules.standing.overview import DaemonStanding, DaemonState, PanelStanding, Standing
from tests.cli.command import configure, said
from tests.cli.stage import NOW, a_failing_panel_with_money, an_order_due_an_hour_ago, intent, stage
from tests.ledger.builders import order

Capture = pytest.CaptureFixture[str]
SECOND = timedelta(seconds=1)
NORTH = PanelStanding(
    "north", True, NOW - 3 * SECOND, None, "", Decimal("12.50"), "USD", overdue_since=NOW - 90 * SECOND
)
QUIET = View(
    at=NOW,
    standing=Standing(
        daemon=DaemonStanding(DaemonState.RUNNING, "41", NOW - timedelta(hours=3), NOW - 5 * SECOND, "live"),
        panels=(NORTH,),
        totals=Totals(7, 2, {"confirmed": 1_200}, {"pending": 1}, {}),
        unknown=(),
        held=(),
        stops=(),
        rules={},
    ),
    panels=(PanelView(NORTH, 47, 60),),
    rules=(RuleView("top-up", 3, 40, NOW - timedelta(minutes=4)),),
    budgets=(Budget(Scope.RULE, "top-up", Per.DAY, Decimal(10), Decimal(9), Decimal(0), "USD"),),
    alerts=(
        Alert(4, "low:x", "low", order(1), NOW, "info", AlertState.FIRING, NOW - timedelta(minutes=2)),
        Alert(3, "low:y", "low", order(2), NOW, "info", AlertState.ACKNOWLEDGED, NOW, NOW, "ann"),
    ),
    messages=(),
)


def lines(view: View, width: int = 120, height: int = 1_000) -> list[str]:
    return [line.plain.rstrip() for line in frame(view, width, height)]


def test_a_quiet_frame() -> None:
    assert lines(QUIET) == [
        f"{'smm-rules running  process 41  up 3h  heartbeat 5s ago':<111}15:00:00Z",
        "ACTIONS  1,200 confirmed",
        "PANELS  1",
        "  north  ok         12.50 USD  answered 3s ago  late 1m30s  47/60 a minute ███████░░░",
        "ORDERS  7 watched, 2 due, the most overdue 1m30s late",
        "BUDGETS",
        "  █████████░ rule top-up, each day: 9 of 10 USD",
        "RULES  3 firings in the last hour",
        "       3 an hour      40 a day  top-up  4m ago",
        "ALERTS  2 go on",
        "  4 low order/north/1  2m  open",
        "  3 low order/north/2  0s  acknowledged by ann",
        "MESSAGES  1 to be delivered",
    ]


def test_what_stops_everything_stands_before_all_else() -> None:
    standing = replace(
        QUIET.standing, held_back=HoldReason.RESTORED, stamp_trouble="it belongs to \x1b[31mroot"
    )
    told = lines(replace(QUIET, standing=standing))
    assert told[1].startswith("ON HOLD, nothing is sent")
    assert told[2] == "NOTHING IS SENT  it belongs to ·[31mroot"


@pytest.mark.parametrize("state", list(DaemonState))
def test_every_state_of_the_daemon_has_words(state: DaemonState) -> None:
    daemon = replace(QUIET.standing.daemon, state=state)
    (head, *_) = lines(replace(QUIET, standing=replace(QUIET.standing, daemon=daemon)))
    assert head.startswith("smm-rules ")


@given(st.integers(1, 200), st.integers(1, 60))
def test_a_frame_fits_every_screen(width: int, height: int) -> None:
    many = replace(QUIET, panels=QUIET.panels * 30, alerts=QUIET.alerts * 30, rules=QUIET.rules * 30)
    told = frame(many, width, height)
    assert len(told) <= height
    assert [line for line in told if line.cell_len > width] == []


def test_on_a_low_screen_every_section_keeps_its_title_and_counts_the_rest() -> None:
    many = replace(QUIET, panels=QUIET.panels * 30, alerts=QUIET.alerts * 15)
    told = lines(many, 80, 20)
    assert len(told) == 20
    titles = [line.split()[0] for line in told if not line.startswith(" ")]
    assert titles == ["smm-rules", "ACTIONS", "PANELS", "ORDERS", "BUDGETS", "RULES", "ALERTS", "MESSAGES"]
    assert [line for line in told if "more" in line] == ["  … and 23 more", "  … and 29 more"]


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 40))
def test_a_section_shows_or_counts_each_of_its_rows(count: int, unread: int, room: int) -> None:
    section = Section(Text("T"), [Text(f"row {number}") for number in range(count)], count + unread)
    told = [line.plain for line in section.lines(room)]
    assert len(told) <= room
    if count and room >= 3:
        left = sum(int(line.split()[2]) for line in told if line.startswith("  …"))
        assert sum(line.startswith("row") for line in told) + left == count + unread


# -- from a ledger ------------------------------------------------------------------------------------------
@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: NOW)


async def a_stop(ledger: SqliteLedger) -> None:
    await ledger.stop(StopKind.PAUSE, StopScope.PANEL, "north", "odd prices", "operator:ann", NOW)


async def a_beat_with_requests(ledger: SqliteLedger) -> None:
    detail = {"status": "1 orders", "mode": "dry_run", "requests": '{"north": 47}'}
    await ledger.beat(Heartbeat("daemon:1", NOW - timedelta(hours=1), NOW - SECOND, detail))


@pytest.mark.usefixtures("at_noon")
def test_once_prints_a_whole_frame(here: Path, capsys: Capture) -> None:
    configure(here)
    acts = (an_order_due_an_hour_ago, a_failing_panel_with_money, intent(IntentState.UNKNOWN), a_stop)
    stage(here / "ledger.db", *acts, a_beat_with_requests)
    with DaemonLock(here / "ledger.db"):
        told = said(capsys, "top", "--once")
    assert told.code == 0
    head, stop, actions, doubt, _, panel, *_ = told.out.splitlines()
    assert head.startswith("smm-rules running dry_run  process")
    assert stop == "STOPPED  panel north: paused by ann since 2026-03-01 15:00:00Z: odd prices"
    assert actions == "ACTIONS  1 in doubt  smm-rules intents show ID"
    assert doubt.startswith("  IN DOUBT 1 refill order/north/1 by top-up  2.50 USD")
    assert panel == (
        "  north  failing 10m  12.50 USD  answered 11m ago  late 1h  47/60 a minute ███████░░░  timed out"
    )


def test_a_ledger_in_a_database_is_shown_too(here: Path, capsys: Capture, ledger_database: str) -> None:
    path = configure(here)
    text = path.read_text(encoding="utf-8")
    place = f"ledger: {ledger_database}\nstate_directory: {here}"
    path.write_text(text.replace("ledger: ledger.db", place), encoding="utf-8")
    told = said(capsys, "top", "--once")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("smm-rules never ran")


def test_without_a_terminal_it_says_how(here: Path, capsys: Capture) -> None:
    configure(here)
    told = said(capsys, "top")
    assert (told.code, told.err) == (2, "error: It needs a terminal. --once prints how it stands now.\n")


def test_without_a_ledger_it_makes_none(here: Path, capsys: Capture) -> None:
    configure(here)
    assert said(capsys, "top", "--once").code == 4
    assert not (here / "ledger.db").exists()


# -- requests a minute --------------------------------------------------------------------------------------
def test_the_rate_is_of_the_last_minute() -> None:
    rate = RequestRate()
    assert rate.note({"north": 5}, NOW) == {}
    assert rate.note({"north": 15, "south": 2}, NOW + 20 * SECOND) == {"north": 30, "south": 6}
    assert rate.note({"north": 25}, NOW + 60 * SECOND) == {"north": 20}
    assert rate.note({"north": 25}, NOW + 200 * SECOND) == {}
    assert rate.note({"north": 26}, NOW) == {}  # a clock set back


def test_a_rate_is_read_as_it_was_written_and_nonsense_is_none() -> None:
    assert read_rates(written({"north": 47})) == {"north": 47}
    assert written({}) == {}
    for nonsense in ("[", "5", '{"a": "b"}', "null"):
        assert read_rates({"requests": nonsense}) == {}
