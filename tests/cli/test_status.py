"""`smm-rules status`: what needs the operator comes first, and a script gets all of it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.records import Heartbeat, IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.rules.model import StepKind
from smm_rules.standing.overview import DaemonState, daemon_standing
from tests.cli.command import configure, said
from tests.cli.stage import NOW, a_failing_panel_with_money, an_order_due_an_hour_ago, beat, intent, stage
from tests.ledger.builders import draft, fired, firing, planned

Capture = pytest.CaptureFixture[str]
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: NOW)


def test_without_a_ledger_it_says_so_and_makes_none(here: Path, capsys: Capture) -> None:
    configure(here)
    told = said(capsys, "status")
    assert (told.code, told.out) == (4, "")
    assert told.err.startswith(f"error: There is no ledger {here / 'ledger.db'} yet.")
    assert not (here / "ledger.db").exists()


def test_an_empty_ledger_has_nothing_to_tell(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db")
    told = said(capsys, "status")
    assert told.code == 0
    assert told.out == (
        "daemon    not running, and it never ran on this ledger\n"
        "orders    0 watched, 0 due\n"
        "intents   none yet\n"
        "messages  0 to be delivered\n"
        "reserved  nothing\n"
        "\n"
        "Panel  State          Last answer  Balance  Last failure\n"
        "north  not known yet  never        –\n"
    )


def test_what_is_in_doubt_comes_first_with_the_command_to_settle_it(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", an_order_due_an_hour_ago, intent(IntentState.UNKNOWN, StepKind.REORDER))
    told = said(capsys, "status")
    assert told.out.splitlines()[:7] == [
        "1 action in doubt: it may have happened or not; you decide",
        "  1: reorder for order/north/1 on north (rule top-up, 2.50 USD)",
        "    smm-rules intents resolve 1 --happened ORDER | --did-not",
        "",
        "daemon    not running, and it never ran on this ledger",
        "orders    1 watched, 1 due, the most overdue 1h late",
        "intents   1 unknown",
    ]
    assert "reserved  2.50 USD\n" in told.out


def test_what_is_held_comes_with_the_command_to_let_it_go(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", intent(IntentState.HELD))
    told = said(capsys, "status")
    assert "  held 1: refill for order/north/1 on north (rule top-up, 2.50 USD): approval\n" in told.out
    assert "    smm-rules intents approve 1 | smm-rules intents deny 1\n" in told.out


async def one_behind_a_paused_rule(ledger: SqliteLedger) -> None:
    """Intent 2 waits for intent 1, of a rule that is paused, about the same order."""
    for rule in ("first", "second"):
        await ledger.record(fired(planned(firing(rule=rule), draft())))
    await ledger.stop(StopKind.PAUSE, StopScope.RULE, "first", "a look", "operator:ann", NOW)


def test_what_waits_behind_something_stopped_is_shown(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", one_behind_a_paused_rule)
    told = said(capsys, "status")
    assert "  waits 2: refill for order/north/1 on north (rule second)\n" in told.out
    assert "    behind intent 1, which is stopped: smm-rules intents show 2\n" in told.out
    [waiting] = json.loads(said(capsys, "status", "--json").out)["waiting"]
    assert (waiting["id"], waiting["behind"]) == (2, 1)


def test_an_intent_says_what_it_waits_for(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", one_behind_a_paused_rule)
    shown = said(capsys, "intents", "show", "2").out
    assert "behind intent 1: rule first: paused by ann" in shown
    assert "smm-rules resume rule first" in shown
    assert "smm-rules intents deny 1" in shown
    document = json.loads(said(capsys, "intents", "show", "2", "--json").out)
    assert document["behind"]["intent"] == 1
    assert "behind intent" not in said(capsys, "intents", "show", "1").out


def test_a_failing_panel_is_told_with_its_balance(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", a_failing_panel_with_money)
    assert said(capsys, "status").out.splitlines()[-1] == (
        "north  failing for 10m  11m ago      12.50 USD  timed out"
    )


def test_a_running_daemon_is_known_by_its_lock(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", beat(5 * SECOND))
    with DaemonLock(here / "ledger.db") as lock:
        told = said(capsys, "status")
        expected = f"daemon    running, process {lock.holder()}, last heartbeat 5s ago\n"
    assert told.out.startswith(expected)
    assert said(capsys, "status").out.startswith("daemon    not running, and it didn't end in order")


def test_a_running_daemon_tells_where_its_intake_is(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", beat(5 * SECOND, http_intake="not served: [bold]taken[/]"))
    with DaemonLock(here / "ledger.db"):
        assert "intake    by HTTP, not served: [bold]taken[/]\n" in said(capsys, "status").out
        told = json.loads(said(capsys, "status", "--json").out)
    assert told["daemon"]["http_intake"] == "not served: [bold]taken[/]"
    assert "by HTTP" not in said(capsys, "status").out


def test_a_check_fails_unless_the_daemon_runs_and_beats(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", beat(5 * SECOND))
    assert said(capsys, "status", "--check").code == 1
    assert said(capsys, "status").code == 0
    with DaemonLock(here / "ledger.db"):
        assert said(capsys, "status", "--check").code == 0
        stage(here / "ledger.db", beat(timedelta(hours=1)))
        assert said(capsys, "status", "--check", "--json").code == 1


@pytest.mark.parametrize(
    ("process", "age", "status", "state"),
    [
        ("7", 5 * SECOND, "1 orders", DaemonState.RUNNING),
        ("7", None, "", DaemonState.RUNNING),
        ("", 121 * SECOND, "1 orders", DaemonState.STUCK),
        (None, 5 * SECOND, "1 orders", DaemonState.GONE),
        (None, 5 * SECOND, "stopped", DaemonState.STOPPED),
        (None, None, "", DaemonState.NEVER_RAN),
    ],
)
def test_lock_and_heartbeat_together_tell_the_daemons_state(
    process: str | None, age: timedelta | None, status: str, state: DaemonState
) -> None:
    last = None if age is None else Heartbeat("daemon:7", NOW - age, NOW - age, {"status": status})
    assert daemon_standing(process, last, NOW).state is state


def test_scripts_get_all_of_it(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(
        here / "ledger.db",
        beat(timedelta(minutes=3), status="stopped", mode="dry_run"),
        a_failing_panel_with_money,
        an_order_due_an_hour_ago,
        intent(IntentState.UNKNOWN),
    )
    document = json.loads(said(capsys, "status", "--json").out)
    assert document["daemon"]["state"] == "stopped"
    assert document["daemon"]["running"] is False
    assert document["panels"][0]["balance"] == "12.50"
    assert document["panels"][0]["reachable"] is False
    assert datetime.fromisoformat(document["orders"].pop("most_overdue_since")) == NOW - timedelta(hours=1)
    assert document["orders"] == {"watched": 1, "due": 1}
    assert document["intents"]["unknown"] == 1
    assert document["in_doubt"][0]["id"] == 1
    assert document["reserved"] == {"USD": "2.50"}
    counts = {"pending": 0, "delivered": 0, "dead": 0, "dropped": 0, "suppressed": 0}
    assert document["messages"] == counts
