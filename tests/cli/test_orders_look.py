"""`smm-rules orders list`, `show` and `forget`."""

from __future__ import annotations

import io
import json
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.cli.memories import state_in_words
from smm_rules.cli.shapes import ago
from smm_rules.engine.memory import Memory, Reason
from smm_rules.facts import Facts
from smm_rules.ledger.records import IntentState, Observed, Outcome, Remembered, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rules.model import StepKind
from tests.cli.command import configure, said
from tests.cli.stage import stage
from tests.ledger.builders import NOTHING, T0, bring_to, draft, new_order, order

Capture = pytest.CaptureFixture[str]
LATER = T0 + timedelta(hours=1)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: LATER)


async def three_orders(ledger: SqliteLedger) -> None:
    """1 is Partial and settled, 2 in progress and due at once, 3 has never been seen and is due later."""
    await ledger.track([new_order(number) for number in (1, 2, 3)], T0)
    partial: Facts = {"status": "Partial", "remains": 157, "charge": Decimal("0.2780")}
    going: Facts = {"status": "In progress", "remains": 9}
    seen = (Observed(order(1), partial, True, None), Observed(order(2), going, True, T0))
    await ledger.record(Sweep(T0 + timedelta(minutes=5), seen))
    await ledger.postpone([order(3)], LATER + timedelta(minutes=3))


async def a_reorder(ledger: SqliteLedger) -> None:
    """Order 1 was reordered as 21."""
    intent = await bring_to(ledger, IntentState.SENDING, draft(kind=StepKind.REORDER))
    made = Outcome(IntentState.CONFIRMED, "accepted", result="21", tracked=new_order(21, parent=order(1)))
    await ledger.settle(intent.id, made, NOTHING, T0, "d1")


async def a_memory(ledger: SqliteLedger) -> None:
    memory = Memory(true_since=T0, stopped_by=Reason.LIMIT_PER_ORDER, last_fired=T0, firings=3)
    await ledger.record(Sweep(T0, remembered=(Remembered("top-up", order(1), memory),)))


def test_the_list_says_what_is_known_of_each(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", three_orders)
    done = said(capsys, "orders", "list")
    assert (done.code, done.err) == (0, "")
    assert [line.split("  ") for line in done.out.splitlines()] == [
        text.split("  ")
        for text in (
            "order    status        remains  service  seen     next look  label",
            "north/1  Partial           157  7        55m ago  settled",
            "north/2  In progress         9  7        55m ago  now",
            "north/3  not seen yet           7                 in 3m",
        )
    ]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], ["1", "2", "3"]),
        (["--status", "partial"], ["1"]),
        (["--status", ""], ["3"]),
        (["--due"], ["2"]),
        (["--service", "7"], ["1", "2", "3"]),
        (["--service", "8"], []),
        (["--panel", "south"], []),
        (["--limit", "2"], ["1", "2"]),
        (["--limit", "0"], ["1", "2", "3"]),
    ],
)
def test_the_list_is_narrowed(here: Path, capsys: Capture, arguments: list[str], found: list[str]) -> None:
    configure(here)
    stage(here / "ledger.db", three_orders)
    as_json = said(capsys, "orders", "list", *arguments, "--json")
    lines = said(capsys, "orders", "list", *arguments, "--jsonl")
    assert [one["order"] for one in json.loads(as_json.out)] == found
    assert [json.loads(line)["order"] for line in lines.out.splitlines()] == found


def test_the_list_says_when_there_are_more(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", three_orders)
    done = said(capsys, "orders", "list", "--limit", "2")
    assert done.err == "There are more: --limit 20 shows more, --limit 0 all.\n"


def test_the_json_of_a_listed_order(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", three_orders)
    [listed] = json.loads(said(capsys, "orders", "list", "--status", "Partial", "--json").out)
    at = (T0 + timedelta(minutes=5)).isoformat()
    assert listed == {
        "order": "1",
        "panel": "north",
        "service": "7",
        "parameters": {"link": "https://example.com/a", "quantity": "10"},
        "label": "",
        "source": "tracked",
        "placed_at": None,
        "tracked_at": T0.isoformat(),
        "parent": None,
        "root": "order/north/1",
        "chain_depth": 0,
        "refills": 0,
        "facts": {"charge": "0.2780", "remains": 157, "status": "Partial"},
        "first_seen_at": at,
        "last_seen_at": at,
        "due_at": None,
    }


def test_show_tells_all_of_an_order(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", three_orders, a_reorder, a_memory)
    done = said(capsys, "orders", "show", "1")
    assert done.code == 0
    for words in (
        "Order 1 on north",
        "link          https://example.com/a",
        "reordered as  north/21",
        "seen          2026-03-01 12:05:00Z; next look: settled, not looked at any more",
        "charge   0.2780",
        "2026-03-01 12:05:00Z  Partial  157      0.2780",
        "top-up  holding since 2026-03-01 12:00:00Z, stopped by its limit per_order; fired 3 times in all",
        "1   reorder  confirmed  top-up",
    ):
        assert words in done.out


def test_show_tells_the_place_in_the_chain(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", three_orders, a_reorder)
    shown = json.loads(said(capsys, "orders", "show", "north/21", "--json").out)
    parent = json.loads(said(capsys, "orders", "show", "1", "--panel", "north", "--json").out)
    assert (shown["parent"], shown["root"], shown["chain_depth"]) == ("order/north/1", "order/north/1", 1)
    assert parent["children"] == ["order/north/21"]
    assert [intent["state"] for intent in parent["intents"]] == ["confirmed"]
    assert [seen["facts"]["status"] for seen in parent["history"]] == ["Partial"]


def test_show_keeps_to_the_last_observations(here: Path, capsys: Capture) -> None:
    async def many(ledger: SqliteLedger) -> None:
        await ledger.track([new_order(1)], T0)
        for minute in range(12):
            facts: Facts = {"status": "In progress", "remains": 100 - minute}
            at = T0 + timedelta(minutes=minute)
            await ledger.record(Sweep(at, (Observed(order(1), facts, True, None),)))

    configure(here)
    stage(here / "ledger.db", many)
    seen = json.loads(said(capsys, "orders", "show", "1", "--history", "2", "--json").out)["history"]
    none = json.loads(said(capsys, "orders", "show", "1", "--history", "0", "--json").out)["history"]
    assert [one["facts"]["remains"] for one in seen] == [90, 89]
    assert none == []


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("77", 1, "Order north/77 isn't known. To watch it: smm-rules orders track north/77"),
        ("1,2", 2, "'1,2' names 2 orders"),
        ("*", 2, "is no order ID"),
    ],
)
def test_show_of_what_isnt_there(here: Path, capsys: Capture, name: str, code: int, words: str) -> None:
    configure(here)
    stage(here / "ledger.db", three_orders)
    done = said(capsys, "orders", "show", name)
    assert (done.code, done.out) == (code, "")
    assert words in done.err


@pytest.mark.parametrize("command", [["list"], ["show", "1"], ["forget", "1", "--yes"]])
def test_looking_makes_no_ledger(here: Path, capsys: Capture, command: list[str]) -> None:
    configure(here)
    done = said(capsys, "orders", *command)
    assert (done.code, done.out) == (4, "")
    assert "There is no ledger" in done.err
    assert not (here / "ledger.db").exists()


# -- forget ---------------------------------------------------------------------------------------------
def test_what_is_forgotten_is_no_longer_watched_but_still_known(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", three_orders)
    done = said(capsys, "orders", "forget", "1", "north/2", "--yes")
    listed = json.loads(said(capsys, "orders", "list", "--json").out)
    shown = said(capsys, "orders", "show", "1")
    assert (done.code, done.out) == (0, "2 forgotten.\n")
    assert [one["order"] for one in listed] == ["3"]
    assert "forgotten: it is no longer looked at" in shown.out


def test_one_that_wasnt_watched_is_told_and_the_rest_forgotten(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", three_orders)
    done = said(capsys, "orders", "forget", "1", "77", "--yes", "--json")
    assert done.code == 1
    assert json.loads(done.out) == {"forgotten": ["order/north/1"], "not_watched": ["order/north/77"]}


def test_without_a_terminal_it_needs_yes(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", three_orders)
    done = said(capsys, "orders", "forget", "1")
    assert (done.code, done.out) == (2, "")
    assert "say --yes" in done.err
    assert len(json.loads(said(capsys, "orders", "list", "--json").out)) == 3


class Terminal(io.StringIO):
    """Standard input with somebody at it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("answer", "code", "left"), [("y\n", 0, 2), ("n\n", 1, 3), ("\n", 1, 3), ("", 130, 3)]
)
def test_on_a_terminal_it_asks(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int
) -> None:
    configure(here)
    stage(here / "ledger.db", three_orders)
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    done = said(capsys, "orders", "forget", "1")
    assert (done.code, len(json.loads(said(capsys, "orders", "list", "--json").out))) == (code, left)
    assert "Stop watching this order?" in done.err


@pytest.mark.parametrize(
    "state", [IntentState.PLANNED, IntentState.HELD, IntentState.SENDING, IntentState.UNKNOWN]
)
def test_an_order_with_an_open_action_is_kept(here: Path, capsys: Capture, state: IntentState) -> None:
    async def act(ledger: SqliteLedger) -> None:
        await bring_to(ledger, state)

    configure(here)
    stage(here / "ledger.db", three_orders, act)
    refused = said(capsys, "orders", "forget", "2", "1", "--yes")
    still = len(json.loads(said(capsys, "orders", "list", "--json").out))
    forced = said(capsys, "orders", "forget", "2", "1", "--yes", "--force")
    assert (refused.code, refused.out, still) == (1, "", 3)
    assert f"intent 1 (refill of north/1, {state})" in refused.err
    assert (forced.code, forced.out) == (0, "2 forgotten.\n")


# -- words ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("memory", "words"),
    [
        (Memory(), "doesn't hold now"),
        (Memory(last_fired=T0, firings=1), "doesn't hold now; fired once in all, last 2026-03-01 12:00:00Z"),
        (Memory(true_since=T0), "holding since 2026-03-01 12:00:00Z, not fired yet"),
        (
            Memory(true_since=T0, unknown_since=T0),
            "holding since 2026-03-01 12:00:00Z, not fired yet; "
            "a fact it needs has been missing since 2026-03-01 12:00:00Z",
        ),
        (
            Memory(true_since=T0, fired_at=LATER, last_fired=LATER, firings=1),
            "fired at 2026-03-01 13:00:00Z, holding since 2026-03-01 12:00:00Z",
        ),
        (
            Memory(true_since=T0, ignored=True),
            "ignored: it held already when the order was first seen (2026-03-01 12:00:00Z)",
        ),
        (
            Memory(undecided=True),
            "not decided yet: a fact it needs has been missing since the order was first seen",
        ),
        (
            Memory(true_since=T0, stopped_by=Reason.LIMIT_EVERY),
            "holding since 2026-03-01 12:00:00Z, stopped by its limit every",
        ),
    ],
)
def test_a_memory_in_words(memory: Memory, words: str) -> None:
    assert state_in_words(memory) == words


@given(st.integers(0, 10**8))
def test_ago_is_short_and_never_negative(seconds: int) -> None:
    told = ago(T0, T0 + timedelta(seconds=seconds))
    assert told[:-1].isdecimal()
    assert told[-1] in "smhd"
    assert ago(T0 + timedelta(seconds=1), T0) == "0s"
