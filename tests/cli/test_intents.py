"""`smm-rules intents`: what is told of actions, and the operator's word on them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rules.model import StepKind
from smm_rules.standing.next_steps import what_next
from tests.cli.command import configure, said
from tests.cli.stage import intent, stage
from tests.cli.test_orders_look import Terminal
from tests.ledger.builders import MINUTE, T0, bring_to, draft, fired, firing, new_order, order, planned

Capture = pytest.CaptureFixture[str]
Act = Callable[[SqliteLedger], Awaitable[object]]


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: T0 + timedelta(hours=1))
    monkeypatch.setattr("smm_rules.cli.intents.verdicts.operator_name", lambda: "operator:ann")
    monkeypatch.setattr("smm_rules.cli.intents.resolving.operator_name", lambda: "operator:ann")


def read(here: Path, intent_id: int = 1) -> Intent:
    async def get() -> Intent:
        async with await SqliteLedger.open(here / "ledger.db") as ledger:
            found = await ledger.intent(intent_id)
            assert found is not None
            return found

    return asyncio.run(get())


async def orders(ledger: SqliteLedger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)


def held(number: int, rule: str = "top-up", estimate: str | None = None, reason: str = "approval") -> Act:
    """A held reorder of order `number`."""

    async def act(ledger: SqliteLedger) -> None:
        what = draft(kind=StepKind.REORDER, estimate=estimate)
        sweep = fired(planned(firing(order(number), rule), what))
        [intent_id] = (await ledger.record(sweep)).intents
        await ledger.hold(intent_id, reason, "dearer by 20 %", T0)

    return act


async def in_doubt(ledger: SqliteLedger) -> None:
    """A reorder in doubt, with what the balance said before and after."""
    found = await bring_to(ledger, IntentState.UNKNOWN, draft(kind=StepKind.REORDER, estimate="2.50"))
    evidence = {
        "sent": json.dumps(
            {"service": "7", "link": "https://example.com/a", "quantity": "10"}, sort_keys=True
        ),
        "cost": "2.50",
        "currency": "USD",
        "rate": "0.90",
        "balance_before": "100.00",
        "balance_after": "97.50",
        "balance_difference": "2.50",
        "other_spending": "0",
        "suggests": "happened",
    }
    await ledger.note(found.id, evidence)


# -- list -----------------------------------------------------------------------------------------------
async def several(ledger: SqliteLedger) -> None:
    await orders(ledger)
    await bring_to(ledger, IntentState.REJECTED)
    await held(2)(ledger)
    await held(2, rule="other")(ledger)


def test_the_list_is_newest_first(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", several)
    done = said(capsys, "intents", "list")
    assert (done.code, done.err) == (0, "")
    assert [line.split() for line in done.out.splitlines()] == [
        ["id", "state", "action", "about", "rule", "planned", "result"],
        ["3", "held", "reorder", "order/north/2", "other", "59m", "ago", "dearer", "by", "20", "%"],
        ["2", "held", "reorder", "order/north/2", "top-up", "59m", "ago", "dearer", "by", "20", "%"],
        ["1", "rejected", "refill", "order/north/1", "top-up", "59m", "ago", "because"],
    ]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], [3, 2, 1]),
        (["--state", "held"], [3, 2]),
        (["--state", "held", "--state", "rejected"], [3, 2, 1]),
        (["--state", "unknown"], []),
        (["--rule", "top-up"], [2, 1]),
        (["--order", "1"], [1]),
        (["--order", "north/2", "--rule", "other"], [3]),
        (["--limit", "1"], [3]),
        (["--limit", "0"], [3, 2, 1]),
    ],
)
def test_the_list_is_narrowed(here: Path, capsys: Capture, arguments: list[str], found: list[int]) -> None:
    configure(here)
    stage(here / "ledger.db", several)
    done = said(capsys, "intents", "list", *arguments, "--json")
    assert [one["id"] for one in json.loads(done.out)] == found


def test_the_list_says_when_there_are_more_and_when_there_is_none(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", several)
    more = said(capsys, "intents", "list", "--limit", "2")
    none = said(capsys, "intents", "list", "--state", "unknown")
    assert more.err == "There are more: --limit 20 shows more, --limit 0 all.\n"
    assert (none.code, none.out, none.err) == (0, "", "No such intents.\n")


def test_an_unknown_state_is_wrong_use(here: Path, capsys: Capture) -> None:
    configure(here)
    assert said(capsys, "intents", "list", "--state", "lost").code == 2


# -- show -----------------------------------------------------------------------------------------------
def test_show_tells_what_was_asked_on_which_facts_and_what_to_do(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", orders, in_doubt)
    done = said(capsys, "intents", "show", "1")
    told = " ".join(done.out.split())
    assert done.code == 0
    for words in (
        "Intent 1: reorder on north, unknown",
        "about order/north/1",
        "asked by rule top-up (do.0), fired 2026-03-01 12:01:00Z, holding since 2026-03-01 12:00:00Z",
        "Sent link https://example.com/a quantity 10 service 7",
        "rate 0.90 USD for 1000 cost 2.50 USD reserved 2.50 USD",
        "balance before 100.00 USD balance after 97.50 USD difference 2.50 USD",
        "Facts it was decided on remains 157 status Partial",
        "the balance says it probably happened",
        "2026-03-01 12:01:00Z planned top-up 2026-03-01 12:01:00Z sending d1",
        "2026-03-01 12:02:00Z unknown because d1",
        "smm-rules intents resolve 1 --happened ORDER",
    ):
        assert words in told


def test_the_json_of_show(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", orders, in_doubt)
    told = json.loads(said(capsys, "intents", "show", "1", "--json").out)
    assert {name: told[name] for name in ("id", "state", "rule", "entity", "reserved", "currency")} == {
        "id": 1,
        "state": "unknown",
        "rule": "top-up",
        "entity": "order/north/1",
        "reserved": "2.50",
        "currency": "USD",
    }
    assert [change["after"] for change in told["transitions"]] == ["planned", "sending", "unknown"]
    assert told["asked_by"]["facts"] == {"remains": 157, "status": "Partial"}
    assert told["suggestion"].startswith("it probably happened")
    assert told["next"][1] == "smm-rules intents resolve 1 --happened ORDER"


def test_show_of_what_isnt_there(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", orders)
    done = said(capsys, "intents", "show", "7")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: There is no intent 7. See: smm-rules intents list\n"
    assert said(capsys, "intents", "show", "seven").code == 2


@pytest.mark.parametrize("state", list(IntentState))
def test_every_state_has_a_word_on_what_to_do(here: Path, state: IntentState) -> None:
    stage(here / "ledger.db", intent(IntentState.PLANNED))
    lines = what_next(replace(read(here), state=state))
    assert all(lines)
    assert ("smm-rules intents" in " ".join(lines)) == (state in (IntentState.UNKNOWN, IntentState.HELD))


# -- approve and deny -----------------------------------------------------------------------------------
@pytest.mark.parametrize(("word", "state"), [("approve", IntentState.PLANNED), ("deny", IntentState.DENIED)])
def test_a_verdict_by_id(here: Path, capsys: Capture, word: str, state: IntentState) -> None:
    configure(here)
    stage(here / "ledger.db", orders, held(1), held(2))
    done = said(capsys, "intents", word, "1", "2", "1")
    participle = {"approve": "approved", "deny": "denied"}[word]
    assert (done.code, done.out) == (
        0,
        f"Intent 1 (reorder for order/north/1) {participle}.\n"
        f"Intent 2 (reorder for order/north/2) {participle}.\n",
    )
    assert [read(here, number).state for number in (1, 2)] == [state, state]


def test_who_gave_a_verdict_is_written_down(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", orders, held(1))
    said(capsys, "intents", "approve", "1")
    told = json.loads(said(capsys, "intents", "show", "1", "--json").out)
    assert (told["transitions"][-1]["after"], told["transitions"][-1]["by"]) == ("planned", "operator:ann")


def test_one_that_isnt_held_keeps_none_of_the_others(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", orders, held(1, rule="other"), intent(IntentState.REJECTED))
    done = said(capsys, "intents", "approve", "2", "77", "1", "--json")
    told = json.loads(done.out)
    assert done.code == 1
    assert [one["id"] for one in told["changed"]] == [1]
    assert list(told["failed"]) == ["2", "77"]
    assert "intent 2 can't be approved: it is rejected, and that is final" in done.err
    assert "there is no intent 77" in done.err


def test_all_of_a_rule(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", orders, held(1), held(2), held(2, rule="other"))
    done = said(capsys, "intents", "approve", "--rule", "top-up", "--all", "--yes")
    assert done.code == 0
    assert [read(here, number).state.value for number in (1, 2, 3)] == ["planned", "planned", "held"]


def test_all_of_a_rule_is_asked_about_with_its_money(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(here)
    stage(here / "ledger.db", orders, held(1, estimate="2.50"), held(2, estimate="0.75"))
    alone = said(capsys, "intents", "approve", "--rule", "top-up", "--all")
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    asked = said(capsys, "intents", "approve", "--rule", "top-up", "--all")
    assert (alone.code, asked.code) == (2, 1)
    assert "Approve 2 held actions (3.25 USD reserved)?" in asked.err
    assert [read(here, number).state.value for number in (1, 2)] == ["held", "held"]


def test_a_rule_with_nothing_held(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", orders)
    done = said(capsys, "intents", "deny", "--rule", "top-up", "--all")
    assert (done.code, done.out, done.err) == (0, "Nothing is held by this rule.\n", "")


@pytest.mark.parametrize(
    "arguments",
    [[], ["--all"], ["--rule", "r"], ["1", "--all"], ["1", "--rule", "r"], ["1", "--rule", "r", "--all"]],
)
def test_ids_or_a_whole_rule(here: Path, capsys: Capture, arguments: list[str]) -> None:
    configure(here)
    stage(here / "ledger.db", orders, held(1, rule="r"))
    assert said(capsys, "intents", "approve", *arguments, "--yes").code == 2
    assert read(here).state is IntentState.HELD


def test_an_approval_says_when_nobody_is_there_to_send(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(here)
    stage(here / "ledger.db", orders, held(1), held(2), held(1, rule="other"))
    alone = said(capsys, "intents", "approve", "1")
    with DaemonLock(here / "ledger.db"):
        beside = said(capsys, "intents", "approve", "2")
    monkeypatch.setenv("SMM_RULES_MODE", "dry_run")
    dry = said(capsys, "intents", "approve", "3")
    assert "No daemon is running now" in alone.err
    assert beside.err == ""
    assert "mode: dry_run" in dry.err


# -- resolve --------------------------------------------------------------------------------------------
def test_it_happened_and_the_new_order_is_watched(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", orders, in_doubt)
    done = said(capsys, "intents", "resolve", "1", "--happened", "4242")
    shown = json.loads(said(capsys, "orders", "show", "4242", "--json").out)
    assert (done.code, done.out) == (0, "Intent 1 counts as done; order/north/4242 is watched from now on.\n")
    assert (read(here).state, read(here).result) == (IntentState.CONFIRMED, "4242")
    assert (shown["parent"], shown["parameters"]["quantity"]) == ("order/north/1", "10")


def test_a_refill_may_have_happened_without_an_id(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", orders, intent(IntentState.UNKNOWN, StepKind.REFILL))
    done = said(capsys, "intents", "resolve", "1", "--happened")
    assert (done.code, done.out) == (0, "Intent 1 counts as done.\n")
    assert read(here).state is IntentState.CONFIRMED


def test_it_did_not_happen(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", orders, in_doubt)
    done = said(capsys, "intents", "resolve", "1", "--did-not")
    assert (done.code, done.out) == (0, "Intent 1 counts as not sent; its money is free again.\n")
    assert read(here).state is IntentState.NOT_SENT


def test_it_did_not_happen_and_is_planned_once_more(here: Path, capsys: Capture) -> None:
    configure(here)
    stage(here / "ledger.db", orders, in_doubt)
    done = said(capsys, "intents", "resolve", "1", "--did-not", "--retry", "--json")
    assert (done.code, json.loads(done.out)["state"]) == (0, "planned")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["1"], 2, "say either --happened [ORDER] or --did-not"),
        (["1", "--happened", "4242", "--did-not"], 2, "say either"),
        (["1", "--happened", "4242", "--retry"], 2, "--retry goes with --did-not"),
        (["1", "--happened"], 2, "the new order's ID is missing"),
        (["1", "--happened", "1"], 2, "1 is the order that was to be repeated"),
        (["1", "--happened", "4 2"], 2, "is no ID"),
        (["2", "--did-not"], 1, "intent 2 is held, not in doubt"),
        (["77", "--did-not"], 1, "there is no intent 77"),
    ],
)
def test_a_word_that_cant_be_right_changes_nothing(
    here: Path, capsys: Capture, arguments: list[str], code: int, words: str
) -> None:
    configure(here)
    stage(here / "ledger.db", orders, in_doubt, held(2))
    done = said(capsys, "intents", "resolve", *arguments)
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert [read(here, number).state.value for number in (1, 2)] == ["unknown", "held"]


def test_text_from_outside_can_do_nothing_to_a_terminal(here: Path, capsys: Capture) -> None:
    async def act(ledger: SqliteLedger) -> None:
        nasty = Entity(EntityKind.ORDER, "north", "1")
        sweep = fired(planned(firing(nasty), draft()), at=T0 + MINUTE)
        [intent_id] = (await ledger.record(sweep)).intents
        await ledger.hold(intent_id, "approval", "\x1b[31m[bold]red[/bold]\x07", T0)

    configure(here)
    stage(here / "ledger.db", orders, act)
    told = said(capsys, "intents", "list").out + said(capsys, "intents", "show", "1").out
    assert "\x1b" not in told
    assert "·[31m[bold]red[/bold]·" in told
