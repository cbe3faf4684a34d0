"""Every cause that can be named, on records made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smm_rules.engine.memory import BLANK, Memory, Reason
from smm_rules.engine.snapshots import complete
from smm_rules.explanation.explain import explain
from smm_rules.explanation.model import Cause, Explanation, Outage, Records, Standing, Surroundings
from smm_rules.facts import Entity, EntityKind, Facts, Value
from smm_rules.ledger.records import Intent, IntentState, KeptTrace, OrderSource, TrackedOrder
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import Rule, StepKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ORDER = Entity(EntityKind.ORDER, "main", "7")
TRACKED = TrackedOrder(
    ORDER, "1", {}, None, NOW - HOUR, "", OrderSource.TRACKED, None, ORDER, 0
)  # fmt: skip
HOLDING = Memory(true_since=NOW - 5 * MINUTE)
FIRED = replace(HOLDING, fired_at=NOW - MINUTE, last_fired=NOW - MINUTE, firings=1)
PARTIAL: Facts = {"id": "7", "status": "Partial", "remains": 157}
AROUND = Surroundings(True, NOW, "live", 5 * MINUTE, 30 * MINUTE)
RULE = """
rules:
  - name: top-up
    watch: {watch}
    when: {when}
    for: {hold}
    panels: [main]
    do: [{step}]
    {more}
"""


@pytest.fixture
def rule(tmp_path: Path) -> Rule:
    return written(tmp_path)


def written(
    directory: Path,
    when: str = 'status == "Partial"',
    watch: str = "order",
    hold: str = "10m",
    step: str = "refill",
    more: str = "limit: {per_order: 3}",
) -> Rule:
    path = directory / "rules.yaml"
    text = RULE.format(watch=watch, when=when, hold=hold, step=step, more=more)
    path.write_text(text, encoding="utf-8")
    return load_rules([path]).rules.rules[0]


def standing(facts: Facts | None = None, related: dict[str, Value] | None = None, **more: object) -> Standing:
    known = Standing(
        entity=ORDER,
        at=NOW,
        facts=complete(EntityKind.ORDER, PARTIAL if facts is None else facts, related or {}),
        stored=True,
        seen_at=NOW - MINUTE,
        due_at=NOW + 4 * MINUTE,
        root=ORDER,
        imported=True,
        order=TRACKED,
        health={"name": "main", "reachable": True},
        service_known=False,
    )
    return replace(known, **more)  # type: ignore[arg-type]  # a test names the fields it needs


def explained(
    rule: Rule, known: Standing, records: Records | None = None, around: Surroundings = AROUND
) -> Explanation:
    return explain(rule, known, records or Records(BLANK), around)


def intent(state: IntentState, number: int = 3, **more: object) -> Intent:
    made = Intent(
        id=number, firing=1, rule="top-up", entity=ORDER, episode=NOW - 5 * MINUTE, step="do.0",
        kind=StepKind.REFILL, panel="main", parameters={}, state=state, reason="because", message="",
        reserved=None, currency=None, attempts=0, not_before=None, planned_at=NOW - MINUTE, claimed_at=None,
        settled_at=None, result="", owner="", evidence={},
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]  # a test names the fields it needs


# -- never looked at ---------------------------------------------------------------------------------------
def test_a_rule_that_watches_another_kind(tmp_path: Path) -> None:
    rule = written(tmp_path, when="amount < 20", watch="balance", step="log: {message: low}", more="")
    found = explained(rule, standing())
    assert (found.cause, found.summary) == (
        Cause.KIND_NOT_WATCHED,
        "the rule watches balances, and this is an order",
    )
    assert (found.when, found.notes) == ((), ())


def test_a_panel_that_has_left_the_configuration(rule: Rule) -> None:
    found = explained(rule, standing(), around=replace(AROUND, configured=False))
    assert (found.cause, found.change) == (
        Cause.PANEL_NOT_WATCHED,
        "add main to the configuration's panels",
    )


@pytest.mark.parametrize(
    ("order", "cause"), [(None, Cause.NEVER_TRACKED), (TRACKED, Cause.FORGOTTEN)], ids=["never", "forgotten"]
)
def test_an_order_that_is_not_watched(rule: Rule, order: TrackedOrder | None, cause: Cause) -> None:
    found = explained(rule, standing({}, stored=False, seen_at=None, due_at=None, order=order))
    assert (found.cause, found.change) == (cause, "smm-rules orders track main/7")


UNSEEN = {"seen_at": None, "due_at": NOW}
OUTAGE = Outage(NOW - HOUR, "HTTP 503")


@pytest.mark.parametrize(
    ("around", "cause"),
    [
        (AROUND, Cause.NOT_YET_SEEN),
        (replace(AROUND, daemon_runs=False), Cause.DAEMON_DOWN),
        (replace(AROUND, outage=OUTAGE), Cause.PANEL_FAILING),
    ],
    ids=["new", "no daemon", "outage"],
)
def test_an_order_nobody_has_read_yet(rule: Rule, around: Surroundings, cause: Cause) -> None:
    found = explained(rule, standing({}, **UNSEEN), around=around)
    assert (found.cause, found.when) == (cause, ())


# -- not as it is today ------------------------------------------------------------------------------------
def test_no_daemon_runs_and_a_look_is_overdue(rule: Rule) -> None:
    known = standing(seen_at=NOW - HOUR, due_at=NOW - 55 * MINUTE)
    found = explained(rule, known, around=replace(AROUND, daemon_runs=False))
    assert (found.cause, found.change) == (Cause.DAEMON_DOWN, "start it: smm-rules run")


def test_a_daemon_that_has_just_stopped_is_a_note(rule: Rule) -> None:
    around = replace(AROUND, daemon_runs=False, beat_at=NOW - 2 * MINUTE)
    found = explained(rule, standing(), Records(HOLDING), around)
    assert found.cause is Cause.HOLDING
    assert "no daemon runs now (last heard of 2m ago)" in found.notes


def test_a_panel_may_fail_for_a_rule_that_watches_it(tmp_path: Path) -> None:
    rule = written(tmp_path, "not reachable", "panel", step="log: {message: down}", more="")
    panel = Entity(EntityKind.PANEL, "main")
    known = standing(entity=panel, root=panel, order=None, facts=complete(EntityKind.PANEL, {}, {}))
    known = replace(known, facts={**known.facts, "reachable": False})
    found = explained(rule, known, Records(HOLDING), replace(AROUND, outage=OUTAGE))
    assert found.cause is Cause.HOLDING


def test_a_settled_order_whose_condition_is_false_is_no_business_of_the_rule(rule: Rule) -> None:
    found = explained(rule, standing(PARTIAL | {"status": "Completed"}, due_at=None))
    assert found.cause is Cause.CLAUSE_FALSE
    assert "it has settled: nobody looks at it any more" in found.notes


# -- what the engine says ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("when", "facts", "change"),
    [
        ("start_count > 5", {}, "start_count is unknown: the panel doesn't say"),
        ("age > 3d", {}, "age is unknown: nobody told the daemon; track or import the order with it"),
        (
            "balance.amount > 5",
            {},
            "balance.amount is unknown: the balance of panel main has not been read",
        ),
        (
            "charge > 5 EUR",
            {"charge": 7, "currency": "USD"},
            'charge > 5 EUR compares money of another currency: currency is "USD"',
        ),
        ("100 / remains > 1", {"remains": 0}, "100 / remains > 1 has no result: it divides by zero"),
        ("progress > 0.5", {}, "it follows from the quantity and what remains"),
    ],
)
def test_an_unknown_clause_says_what_is_missing(tmp_path: Path, when: str, facts: Facts, change: str) -> None:
    found = explained(written(tmp_path, when), standing(PARTIAL | facts))
    assert found.cause is Cause.UNKNOWN_FACT
    assert change in found.change
    assert [clause.truth for clause in found.when] == [None]


@pytest.mark.parametrize(
    ("more", "change"),
    [
        (
            {"order": replace(TRACKED, service=None)},
            "it isn't known which service the order is of; track it with --service",
        ),
        ({"health": {"name": "main"}}, "the catalogue of panel main has not been read"),
        ({"health": {"catalogue_read_at": NOW}}, "service 1 is not in the catalogue of panel main"),
        ({"service_known": True}, "the catalogue of panel main doesn't say it of service 1"),
    ],
    ids=["no service", "no catalogue", "not in it", "unsaid"],
)
def test_a_missing_fact_of_a_service_says_where_it_would_come_from(
    tmp_path: Path, more: dict[str, object], change: str
) -> None:
    found = explained(written(tmp_path, "service.refill"), standing(**more))  # type: ignore[arg-type]
    assert (found.cause, found.change) == (Cause.UNKNOWN_FACT, f"service.refill is unknown: {change}")


def test_a_fact_unknown_from_the_start_will_be_ignored_when_it_turns_out_true(tmp_path: Path) -> None:
    rule = written(tmp_path, "service.refill")
    found = explained(rule, standing(), Records(Memory(undecided=True)))
    assert found.cause is Cause.UNKNOWN_FACT
    assert "it is ignored (first_seen)" in found.change


def test_a_hold_that_has_not_been_seen_to_begin(rule: Rule) -> None:
    found = explained(rule, standing())
    assert (found.cause, found.change) == (Cause.HOLDING, "wait for the next look and 10m more")


def test_a_hold_restarted_by_a_gap_says_so(rule: Rule) -> None:
    restarted = KeptTrace(
        "top-up", rule.version, ORDER, NOW - 5 * MINUTE, Reason.GAP_RESTARTED, {}, (), HOLDING
    )
    found = explained(rule, standing(), Records(HOLDING, (restarted,)))
    assert (found.cause, found.change) == (Cause.HOLDING, "wait 5m more, until 2026-03-01 12:05:00Z")
    assert found.notes[0].startswith("the hold began anew at 2026-03-01 11:55:00Z")


def test_an_episode_that_waits_for_a_fact_says_so(tmp_path: Path) -> None:
    rule = written(tmp_path, "service.refill")
    memory = replace(HOLDING, unknown_since=NOW - MINUTE)
    found = explained(rule, standing(), Records(memory))
    assert found.cause is Cause.UNKNOWN_FACT
    assert any("waits for it" in note for note in found.notes)


def test_everything_holds_and_it_fires_at_the_next_look(rule: Rule) -> None:
    memory = Memory(true_since=NOW - 11 * MINUTE)
    found = explained(rule, standing(due_at=NOW), Records(memory))
    assert (found.cause, found.change) == (Cause.DUE, "wait for the next look, which is due now")


def test_more_messages_at_once_than_a_sweep_may_tell(rule: Rule) -> None:
    memory = Memory(true_since=NOW - 11 * MINUTE, stopped_by=Reason.LIMIT_PER_SWEEP)
    assert explained(rule, standing(), Records(memory)).cause is Cause.LIMIT_PER_SWEEP


def test_a_moment_too_long_ago(rule: Rule) -> None:
    assert explained(rule, standing(past=True), Records(None)).cause is Cause.MEMORY_LOST


# -- what came of it ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("state", "more", "cause", "said"),
    [
        (IntentState.PLANNED, {"not_before": NOW + MINUTE}, Cause.ACTION_WAITING, "tried again at"),
        (IntentState.SENDING, {}, Cause.ACTION_WAITING, "a running daemon sends it"),
        (IntentState.HELD, {"reason": "dry_run"}, Cause.ACTION_HELD, "the mode is dry_run"),
        (IntentState.HELD, {"message": "dearer by 12 %"}, Cause.ACTION_HELD, "dearer by 12 %"),
        (IntentState.UNKNOWN, {}, Cause.ACTION_IN_DOUBT, "smm-rules intents resolve 3"),
        (IntentState.REJECTED, {"message": "Refill disabled"}, Cause.ACTION_REFUSED, "Refill disabled"),
        (IntentState.NOT_SENT, {}, Cause.ACTION_NOT_SENT, "smm-rules intents show 3"),
        (IntentState.DENIED, {}, Cause.ACTION_DENIED, "denied by the operator"),
        (IntentState.CONFIRMED, {"result": "55"}, Cause.FIRED, "the panel's ID is 55"),
    ],
)
def test_what_became_of_the_action(
    rule: Rule, state: IntentState, more: dict[str, object], cause: Cause, said: str
) -> None:
    found = explained(rule, standing(), Records(FIRED, intents=(intent(state, **more),)))
    assert found.cause is cause
    assert said in f"{found.summary}; {found.change}"


def test_what_needs_the_operator_is_named_before_what_came_later(rule: Rule) -> None:
    intents = (intent(IntentState.PLANNED, 4), intent(IntentState.UNKNOWN, 3))
    assert explained(rule, standing(), Records(FIRED, intents=intents)).cause is Cause.ACTION_IN_DOUBT


def test_actions_of_earlier_episodes_are_not_what_came_of_this_one(rule: Rule) -> None:
    earlier = intent(IntentState.UNKNOWN, episode=NOW - HOUR)
    found = explained(rule, standing(), Records(FIRED, intents=(earlier,)))
    assert (found.cause, found.summary) == (Cause.FIRED, "it fired at 2026-03-01 11:59:00Z")


def test_an_edited_rule_is_a_note(rule: Rule) -> None:
    old = KeptTrace("top-up", "another", ORDER, NOW - MINUTE, Reason.HOLDING, {}, (), HOLDING)
    found = explained(rule, standing(), Records(HOLDING, (old,)))
    assert any(note.startswith("the rule was edited") for note in found.notes)


def test_a_dry_run_is_a_note_before_anything_fired(rule: Rule) -> None:
    found = explained(rule, standing(), Records(HOLDING), replace(AROUND, mode="dry_run"))
    assert "mode is dry_run: when it fires, its actions are held" in found.notes
