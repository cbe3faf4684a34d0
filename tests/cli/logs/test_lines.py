"""A line of a log is understood, or kept as it is; and picked by what it is about."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.cli.logs.asked import Asked, Picking
from smm_rules.cli.logs.line import Line, read_line
from smm_rules.cli.logs.showing import shown
from smm_rules.observe.catalogue import catalogue

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANSWERED: dict[str, Any] = {
    "panel": "north",
    "intent": 5,
    "kind": "refill",
    "entity": "order/north/7",
    "result": "77",
}


def written(event: str, level: str = "info", at: datetime = NOON, **fields: Any) -> str:
    return json.dumps({"timestamp": at.isoformat(), "level": level, "event": event, **fields})


def picked(asked: Asked, *lines: str) -> list[int]:
    """The places of the lines that are shown."""
    picking = Picking(asked)
    return [place for place, line in enumerate(lines) if picking.wants(read_line(line))]


# -- reading ------------------------------------------------------------------------------------------------
def test_an_event_is_read_with_time_level_and_fields() -> None:
    text = written("action.confirmed", **ANSWERED)
    assert read_line(text + "\n") == Line(text, NOON, "info", "action.confirmed", ANSWERED)


def test_the_priority_for_the_journal_is_taken_off() -> None:
    assert read_line("<4>" + written("a.b")).event == "a.b"
    assert read_line("<6>plain").text == "plain"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Traceback (most recent call last):",
        '{"event": "cut of',
        "[1]",
        '{"no": "event"}',
        '{"event": 5}',
        "{" * 9000,
    ],
)
def test_what_is_no_event_keeps_its_text(text: str) -> None:
    assert read_line(text) == Line(text)


@given(st.text(st.characters(exclude_characters="\r\n"), max_size=200))
def test_no_line_is_lost_or_breaks_the_reader(text: str) -> None:
    line = read_line(text)
    assert line.event or line.text in (text, text[3:])
    assert len(shown(line, coloured=False).splitlines()) == 1


def journal(message: object, **fields: Any) -> str:
    entry = {
        "__CURSOR": "s=1;i=2",
        "__REALTIME_TIMESTAMP": "1772366400500000",
        "PRIORITY": "6",
        "MESSAGE": message,
    }
    return json.dumps({**entry, **fields})


def test_the_journal_wraps_an_event_of_the_daemon() -> None:
    text = written("action.confirmed", **ANSWERED)
    assert read_line(journal(text)) == Line(text, NOON, "info", "action.confirmed", ANSWERED, "s=1;i=2")


def test_what_systemd_says_of_the_unit_has_its_time_and_level() -> None:
    at = NOON + timedelta(milliseconds=500)
    assert read_line(journal("Started smm-rules.", PRIORITY="3")) == Line(
        "Started smm-rules.", at, "error", cursor="s=1;i=2"
    )


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ([104, 105, 255], "hi\\xff"),
        (None, "(the journal left this line out: it is too long)"),
        ([999], "[999]"),
    ],
)
def test_the_journals_other_ways_to_give_a_message(message: object, text: str) -> None:
    assert read_line(journal(message)).text == text


# -- picking ------------------------------------------------------------------------------------------------
def test_an_order_is_found_wherever_an_event_names_it() -> None:
    lines = (
        written("action.confirmed", **ANSWERED),
        written("order.missing", panel="north", count=2, ids=["7", "8"]),
        written("order.tracked", panel="south", order_id="7"),
        written("rule.fired", entity="refill/north/7"),
        written("rule.fired", entity="order/north/77"),
    )
    assert picked(Asked(order="7"), *lines) == [0, 1, 2]
    assert picked(Asked(order="north/7"), *lines) == [0, 1]


def test_rule_panel_and_event() -> None:
    lines = (
        written("rule.fired", rule="top-up", entity="order/north/7"),
        written("panel.poll_failed", panel="north"),
        written("rule.fired", rule="low", entity="balance/south"),
    )
    assert picked(Asked(rule="top-up"), *lines) == [0]
    assert picked(Asked(panel="north"), *lines) == [0, 1]
    assert picked(Asked(event="rule.*"), *lines) == [0, 2]
    assert picked(Asked(event="rule.fired", panel="south"), *lines) == [2]


def test_what_an_action_told_before_counts_for_its_later_lines() -> None:
    lines = (
        written("action.unknown", intent=5, rule="top-up", entity="order/north/7", correlation="ab12"),
        written("action.resolved", intent=5, verdict="happened"),
        written("message.delivered", channel="ops", intent=5),
        written("action.resolved", intent=6, verdict="happened"),
    )
    for asked in (Asked(correlation="ab"), Asked(order="7"), Asked(rule="top-up"), Asked(panel="north")):
        assert picked(asked, *lines) == [0, 1, 2]


def test_levels_and_times() -> None:
    lines = (
        written("a.b", "debug", NOON - timedelta(hours=1)),
        written("a.b", "warning"),
        "a traceback's line",
        written("a.b", "error"),
    )
    assert picked(Asked(level="warning"), *lines) == [1, 2, 3]
    assert picked(Asked(since=NOON), *lines) == [1, 2, 3]
    assert picked(Asked(since=NOON + timedelta(seconds=1)), *lines) == []


def test_text_that_is_no_event_is_shown_or_counted_never_dropped_unsaid() -> None:
    picking = Picking(Asked(rule="top-up"))
    assert [picking.wants(read_line(text)) for text in ("boom in top-up", "boom")] == [True, False]
    assert picking.passed_over == 1
    assert Picking(Asked(level="error")).wants(read_line("boom"))


# -- showing ------------------------------------------------------------------------------------------------
def test_what_it_is_about_comes_first_and_whole_sentences_last() -> None:
    text = written("action.unknown", "error", correlation="ab12", detail="no answer", **ANSWERED)
    assert shown(read_line(text), coloured=False) == (
        "2026-03-01 12:00:00Z ERROR    action.unknown panel=north entity=order/north/7 intent=5 kind=refill "
        'result=77 detail="no answer" correlation=ab12'
    )


def test_warnings_are_explained_from_the_catalogue() -> None:
    line = read_line(written("action.unknown", "error", intent=5))
    _, meaning, what_to_do = shown(line, coloured=False, explained=catalogue()).splitlines()
    event = catalogue()["action.unknown"]
    assert (meaning, what_to_do) == (f"    > {event.meaning}", f"    > What to do: {event.action}")
    quiet = read_line(written("action.confirmed", intent=5))
    assert len(shown(quiet, coloured=False, explained=catalogue()).splitlines()) == 1


def test_no_line_can_colour_or_forge_another() -> None:
    evil = "\x1b[31mred\u202e\x9b"
    for text in (evil, written("a.b", text=evil), json.dumps({"event": evil})):
        told = shown(read_line(text), coloured=False)
        assert [character for character in told if not character.isprintable()] == []
