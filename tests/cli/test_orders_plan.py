"""`smm-rules orders place --plan`: many orders, each bought once, whatever happens and however often."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.clock import SystemClock
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.simulator import Fault, RunningSimulator
from tests.cli.command import Said, configure, said
from tests.cli.test_orders_look import Terminal
from tests.cli.test_orders_place import COMMAND, daemon_like, eventually, intents, states

Capture = pytest.CaptureFixture[str]
LINK = "https://example.com/"
PLACE = ("orders", "place", "--plan", "monday.csv")


@pytest.fixture
def north(here: Path, smm_panel: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> RunningSimulator:
    """The configured panel, running."""
    configure(here, smm_panel.url)
    config = here / "smm-rules.yaml"
    text = config.read_text("utf-8").replace("NORTH_KEY}}", "NORTH_KEY}, requests_per_minute: 6000}")
    config.write_text(text, encoding="utf-8")
    monkeypatch.setenv("NORTH_KEY", smm_panel.key)
    return smm_panel


def write(*rows: str, header: str = "service,link,quantity", name: str = "monday.csv") -> None:
    Path(name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def rows_of(*links: str) -> list[str]:
    return [f"1,{LINK}{link},100" for link in links]


def bought(panel: RunningSimulator) -> dict[str, int]:
    """How often each link was bought."""
    return dict(Counter(made.parameters["link"].removeprefix(LINK) for made in panel.journal.orders_made()))


def report(name: str = "monday.report.csv") -> list[dict[str, str]]:
    with Path(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(name: str) -> list[str]:
    return [row[name] for row in report()]


# -- what is shown --------------------------------------------------------------------------------------
def test_costs_are_shown_first_and_nothing_is_bought_without_consent(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    write(*rows_of("a", "b"), f"102,{LINK}c,", "1,nothing,5", f"999,{LINK}d,100")
    done = said(capsys, *PLACE)
    assert (done.code, done.out, bought(north)) == (2, "", {})
    lines = [" ".join(line.split()) for line in done.err.splitlines()]
    assert any(line.startswith("north 1 Followers") and line.endswith("2 0.90 0.18 USD") for line in lines)
    assert "north: 2 orders, 0.18 USD; balance 100.00000 USD, left then 99.82000 USD" in lines
    assert "total: 2 orders, 0.18 USD" in lines
    refused = [line for line in lines if line.startswith("not placed: row ")]
    assert [line.split(": ")[1] for line in refused] == ["row 3", "row 4", "row 5"]
    assert "service 999 is not in north's catalogue" in refused[2]
    assert lines[-1].startswith("error: Place 2 orders? There is no terminal to ask at: say --yes")
    assert not Path("monday.report.csv").exists()


@pytest.mark.parametrize(("typed", "placed"), [("2", 2), ("y", 0), ("3", 0), ("", 0)])
def test_consent_is_the_number_typed_out(
    here: Path,
    north: RunningSimulator,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    typed: str,
    placed: int,
) -> None:
    write(*rows_of("a", "b"))
    monkeypatch.setattr(sys, "stdin", Terminal(f"{typed}\n"))
    assert said(capsys, *PLACE).code == (0 if placed else 1)
    assert len(bought(north)) == placed


def test_what_the_balance_doesn_t_bear_is_not_placed(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    north.set_balance(Decimal("0.20"))
    write(*rows_of("a", "b", "c"))
    done = said(capsys, *PLACE, "--yes")
    assert done.code == 1
    assert "row 3: it costs 0.09 beside 0.18" in done.err
    assert bought(north) == {"a": 1, "b": 1}
    north.set_balance(Decimal(10))
    assert said(capsys, *PLACE, "--yes").code == 0
    assert bought(north) == {"a": 1, "b": 1, "c": 1}


def test_what_guards_will_hold_is_told_first(here: Path, north: RunningSimulator, capsys: Capture) -> None:
    config = here / "smm-rules.yaml"
    config.write_text(config.read_text("utf-8") + "guards: {spend: 0.20/day}\n", encoding="utf-8")
    write(*rows_of("a", "b", "c"))
    done = said(capsys, *PLACE, "--yes")
    assert "held: 1 order until you approve: total_spend_per_day (row 3: " in " ".join(done.err.split())
    assert (done.code, states(here), bought(north)) == (
        1, ["confirmed", "confirmed", "held"], {"a": 1, "b": 1},
    )  # fmt: skip


# -- once -----------------------------------------------------------------------------------------------
def test_each_row_is_bought_and_reported_and_a_second_run_buys_nothing(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    write(*rows_of("a", "b", "a"), header="service,link,quantity")
    first = said(capsys, *PLACE, "--yes")
    assert (first.code, first.out) == (0, "3 confirmed. Report: monday.report.csv\n")
    assert bought(north) == {"a": 2, "b": 1}
    assert column("row") == ["1", "2", "3"]
    assert sorted(column("order")) == [str(made.order) for made in north.journal.orders_made()]
    assert {row["state"] for row in report()} == {"confirmed"}
    assert column("cost") == ["0.09"] * 3
    second = said(capsys, *PLACE, "--yes", "--json")
    told = json.loads(second.out)
    assert (second.code, told["rows"]) == (0, {"confirmed": 3})
    assert len(north.journal.requests("add")) == 3
    write(*rows_of("a", "b", "a", "d"))
    assert said(capsys, *PLACE, "--yes").code == 0
    assert bought(north) == {"a": 2, "b": 1, "d": 1}


@pytest.mark.parametrize(
    "rows",
    [
        rows_of("x", "a", "b"),  # one was put in front
        rows_of("b"),  # one was removed
        rows_of("a"),
        rows_of("a", "x"),  # one was changed
        [*rows_of("a"), "1,,,,,bad"],  # one can't be read any more
    ],
)
def test_a_file_that_was_changed_above_its_end_buys_nothing(
    here: Path, north: RunningSimulator, capsys: Capture, rows: list[str]
) -> None:
    write(*rows_of("a", "b"))
    said(capsys, *PLACE, "--yes")
    write(*rows)
    done = said(capsys, *PLACE, "--yes")
    assert done.code == 2
    assert "Rows without a reference are known by their number" in done.err
    assert bought(north) == {"a": 1, "b": 1}


def test_the_same_file_under_another_name_is_refused(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    write(*rows_of("a"))
    said(capsys, *PLACE, "--yes")
    write(*rows_of("a"), name="copy.csv")
    done = said(capsys, "orders", "place", "--plan", "copy.csv", "--yes")
    assert (done.code, bought(north)) == (2, {"a": 1})
    assert 'placed as plan "monday"' in done.err
    assert said(capsys, "orders", "place", "--plan", "copy.csv", "--yes", "--again").code == 0
    assert said(capsys, "orders", "place", "--plan", "copy.csv", "--yes").code == 0
    assert bought(north) == {"a": 2}


def test_a_reference_is_placed_once_in_whatever_file_and_row(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    header = "reference,service,link,quantity"
    write("A-1," + rows_of("a")[0], "A-2," + rows_of("b")[0], header=header)
    assert said(capsys, *PLACE, "--yes").code == 0
    write("A-3," + rows_of("c")[0], "A-1," + rows_of("a")[0], header=header, name="tuesday.csv")
    assert said(capsys, "orders", "place", "--plan", "tuesday.csv", "--yes").code == 0
    assert bought(north) == {"a": 1, "b": 1, "c": 1}
    write("A-1," + rows_of("z")[0], "A-4," + rows_of("d")[0], header=header)
    done = said(capsys, *PLACE, "--yes")
    assert "row 1: it said something else when it was planned as intent 1" in done.err
    assert (done.code, bought(north)) == (1, {"a": 1, "b": 1, "c": 1, "d": 1})


@pytest.mark.parametrize("references_first", [True, False])
def test_a_plan_keeps_to_numbers_or_references(
    here: Path, north: RunningSimulator, capsys: Capture, references_first: bool
) -> None:
    def numbered() -> None:
        write(*rows_of("a"))

    def referred() -> None:
        write("A-1," + rows_of("a")[0], header="reference,service,link,quantity")

    first, second = (referred, numbered) if references_first else (numbered, referred)
    first()
    said(capsys, *PLACE, "--yes")
    second()
    assert said(capsys, *PLACE, "--yes").code == 2
    assert bought(north) == {"a": 1}


def test_what_the_report_knows_and_the_ledger_has_forgotten_is_not_bought(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    write(*rows_of("a"))
    said(capsys, *PLACE, "--yes")
    for path in here.glob("ledger.db*"):
        path.unlink()
    done = said(capsys, *PLACE, "--yes")
    assert "the report beside the file says that it was planned as intent 1" in " ".join(done.err.split())
    assert (done.code, bought(north)) == (1, {"a": 1})


def test_what_the_ledger_has_forgotten_is_not_bought_the_next_time_either(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    """The report is replaced by each run, and must go on telling of it."""
    write(*rows_of("a"))
    said(capsys, *PLACE, "--yes")
    for path in here.glob("ledger.db*"):
        path.unlink()
    write(*rows_of("a", "b"))
    for _ in range(3):
        assert said(capsys, *PLACE, "--yes").code == 1
    assert bought(north) == {"a": 1, "b": 1}


def test_what_the_report_knows_of_a_later_try_is_not_bought_once_more(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    """The ledger is a copy from between the first try, which wasn't sent, and the second, which was."""
    write(*rows_of("a"))
    north.faults.next("add", Fault.RATE_LIMITED)
    said(capsys, *PLACE, "--yes")
    before = Path("monday.report.csv").read_text("utf-8")
    assert (states(here), column("intent")) == (["not_sent"], ["1"])
    Path("monday.report.csv").write_text(before.replace(",1,not_sent,", ",2,confirmed,"), encoding="utf-8")
    for _ in range(2):
        done = said(capsys, *PLACE, "--yes")
        assert "planned as intent 2" in " ".join(done.err.split())
        assert (done.code, bought(north), column("intent")) == (1, {}, ["2"])


def test_refused_rows_are_asked_for_again_only_on_purpose(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    write(*rows_of("a"), "1,no link,100")
    first = said(capsys, *PLACE, "--yes")
    assert (first.code, sorted(states(here))) == (1, ["confirmed", "rejected"])
    second = said(capsys, *PLACE, "--yes")
    assert "To ask once more: --retry" in " ".join(second.err.split())
    assert len(north.journal.requests("add")) == 2
    said(capsys, *PLACE, "--yes", "--retry")
    assert len(north.journal.requests("add")) == 3
    assert bought(north) == {"a": 1}


def test_a_panel_that_can_t_be_reached_ends_it_for_that_panel(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    write(*rows_of("a", "b", "c"))
    north.faults.next("add", Fault.RATE_LIMITED)
    done = said(capsys, *PLACE, "--yes")
    assert (done.code, states(here)) == (1, ["not_sent"] * 3)
    assert len(north.journal.requests("add")) == 1
    assert said(capsys, *PLACE, "--yes").code == 0
    assert bought(north) == {"a": 1, "b": 1, "c": 1}


def test_an_order_in_doubt_ends_it_for_that_panel_and_is_never_bought_again(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    write(*rows_of("a", "b"))
    north.faults.next("add", Fault.CLOSE_AFTER_EFFECT)
    done = said(capsys, *PLACE, "--yes")
    assert (done.code, states(here), bought(north)) == (1, ["unknown", "not_sent"], {"a": 1})
    assert "IN DOUBT" in done.err
    again = said(capsys, *PLACE, "--yes")
    assert again.code == 1
    assert (states(here), bought(north)) == (["unknown", "not_sent", "confirmed"], {"a": 1, "b": 1})
    assert column("state") == ["unknown", "confirmed"]


# -- beside a daemon, interrupted, killed ---------------------------------------------------------------
def test_a_running_daemon_sends_it(here: Path, north: RunningSimulator, capsys: Capture) -> None:
    write(*rows_of("a", "b", "c"))
    with daemon_like(here, north, "work"):
        done = said(capsys, *PLACE, "--yes")
    assert (done.code, bought(north)) == (0, {"a": 1, "b": 1, "c": 1})
    assert {intent.owner for intent in intents(here)} == {"daemon:like"}


def test_a_daemon_that_gets_nowhere_is_given_up_and_goes_on_with_it(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    write(*rows_of("a"))
    with daemon_like(here, north, "idle"):
        assert said(capsys, *PLACE, "--yes", "--timeout", "0").code == 1
        assert said(capsys, *PLACE, "--yes", "--no-wait").code == 0
        assert states(here) == ["planned"]


def test_interrupted_it_sends_nothing_more_and_goes_on_when_run_again(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    write(*rows_of("a", "b", "c"))
    north.faults.next("add", Fault.HANG_AFTER_EFFECT)
    command = subprocess.Popen(
        [COMMAND, *PLACE, "--yes"], cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    eventually(lambda: north.journal.requests("add"))
    os.kill(command.pid, signal.SIGINT)
    command.communicate(timeout=60)
    assert command.returncode == 130
    assert states(here) == ["unknown", "not_sent", "not_sent"]
    assert column("state") == ["unknown", "not_sent", "not_sent"]
    said(capsys, *PLACE, "--yes")
    assert bought(north) == {"a": 1, "b": 1, "c": 1}


LINKS = ("a", "b", "c", "d")
#: Each boundary with the row that is in doubt when the process dies there, and whether the panel had it.
BOUNDARIES = [
    ("report", "after", 1, None, False),
    ("plan", "before", 1, None, False),
    ("plan", "after", 1, None, False),
    ("plan", "before", 2, None, False),
    ("plan", "after", 2, None, False),
    ("claim", "before", 2, None, False),
    ("claim", "after", 2, "b", False),
    ("send", "before", 2, "b", False),
    ("send", "after", 2, "b", True),
    ("settle", "before", 2, "b", True),
    ("settle", "after", 2, None, False),
    ("settle", "after", 4, None, False),
    ("report", "before", 3, None, False),
]


def kill(here: Path, boundary: str, when: str, at: int) -> None:
    command = [sys.executable, "-m", "tests.cli.plan_killed", boundary, when, str(at), *PLACE, "--yes"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


@pytest.mark.parametrize(("boundary", "when", "at", "doubtful", "happened"), BOUNDARIES)
def test_killed_anywhere_and_run_again_each_row_is_bought_once(
    here: Path,
    north: RunningSimulator,
    capsys: Capture,
    boundary: str,
    when: str,
    at: int,
    doubtful: str | None,
    happened: bool,
) -> None:
    write(*rows_of(*LINKS))
    kill(here, boundary, when, at)
    done: Said = said(capsys, *PLACE, "--yes")
    once = dict.fromkeys(LINKS, 1)
    if doubtful is None:
        assert (done.code, bought(north)) == (0, once)
        return
    assert done.code == 1
    assert bought(north) == (once if happened else {link: 1 for link in LINKS if link != doubtful})
    [unknown] = [intent for intent in intents(here) if intent.state is IntentState.UNKNOWN]
    assert unknown.parameters["link"] == LINK + doubtful
    if not happened:
        assert said(capsys, "intents", "resolve", str(unknown.id), "--did-not").code == 0
        assert said(capsys, *PLACE, "--yes").code == 0
    assert bought(north) == once


# -- what isn't allowed ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("header", "row", "told"),
    [
        ("link,quantity", "x,1", "no column gives the service"),
        ("order,service,link", "5,1,x", 'a number of your own goes into a column "reference"'),
        ("service,link,colour", "1,x,red", "'colour' is not a known column"),
    ],
)
def test_a_file_that_is_no_plan(
    here: Path, north: RunningSimulator, capsys: Capture, header: str, row: str, told: str
) -> None:
    write(row, header=header)
    done = said(capsys, *PLACE, "--yes")
    assert done.code == 2
    assert told in " ".join(done.err.split())


def test_references_are_each_given_once_in_a_file(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    header = "reference,service,link,quantity"
    write("A," + rows_of("a")[0], "A," + rows_of("b")[0], "," + rows_of("c")[0], header=header)
    done = said(capsys, *PLACE, "--yes")
    assert "row 2: its reference 'A' is that of row 1, too" in done.err
    assert "row 3: the reference '' can't be used" in done.err
    assert (done.code, bought(north)) == (1, {"a": 1})


def test_in_a_dry_run_and_while_paused_nothing_is_placed(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    write(*rows_of("a"))
    said(capsys, "orders", "track", "5")
    said(capsys, "pause", "panel", "north", "--reason", "looking")
    assert "Nothing was placed" in said(capsys, *PLACE, "--yes").err
    config = here / "smm-rules.yaml"
    config.write_text(config.read_text("utf-8") + "mode: dry_run\n", encoding="utf-8")
    done = said(capsys, *PLACE, "--yes")
    assert (done.code, states(here), bought(north)) == (1, [], {})
    assert "in which nothing is bought" in done.err


def test_options_of_one_order_don_t_go_with_a_plan(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    write(*rows_of("a"))
    assert said(capsys, *PLACE, "--service", "1", "--yes").code == 2
    assert said(capsys, "orders", "place", "--service", "1", "--link", LINK, "--retry", "--yes").code == 2


def test_another_file_is_never_replaced_by_a_report(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    write(*rows_of("a"))
    for given in ("monday.csv", "other.csv"):
        write("kept", header="mine", name="other.csv")
        assert said(capsys, *PLACE, "--yes", "--report", given).code == 2
    assert Path("other.csv").read_text("utf-8") == "mine\nkept\n"
    assert bought(north) == {}


def test_what_is_bought_is_watched(here: Path, north: RunningSimulator, capsys: Capture) -> None:
    write(rows_of("a")[0] + ",mine", header="service,link,quantity,label")
    said(capsys, *PLACE, "--yes")
    [made] = north.journal.orders_made()

    async def label() -> str | None:
        async with await SqliteLedger.open(here / "ledger.db") as ledger:
            found = await ledger.order(Entity(EntityKind.ORDER, "north", str(made.order)))
            assert SystemClock().now() > found.tracked_at if found else False
            return found.label if found else None

    assert asyncio.run(label()) == "mine"
