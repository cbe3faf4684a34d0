"""The same line again and again is written once a window, with a count; what is about money always."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from smm_rules.observe import configure_logging, correlated, get_logger
from smm_rules.observe.configure import EventHandler
from smm_rules.observe.repeats import MOST_REMEMBERED, WINDOW

log = get_logger("smm_rules.tests")
Line = dict[str, object]


class Log:
    """A log being written, and the clock its windows are measured by."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.now = 1_000.0
        logging.getLogger().handlers.clear()
        configure_logging("json", "debug", (), self.stream, {}, lambda: self.now)

    def lines(self) -> list[Line]:
        """What was written, without the times."""
        written = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [{name: value for name, value in line.items() if name != "timestamp"} for line in written]

    def counts(self) -> list[object]:
        return [line.get("repeated") for line in self.lines()]


@pytest.fixture
def written() -> Iterator[Log]:
    root = logging.getLogger()
    level = root.level
    yield Log()
    root.setLevel(level)
    root.handlers[:] = [handler for handler in root.handlers if not isinstance(handler, EventHandler)]
    logging.captureWarnings(False)


def say(panel: str = "north") -> None:
    log.warning("panel.retry", panel=panel, error="busy")


def test_the_first_is_written_at_once_and_its_repeats_once_their_window_is_over(written: Log) -> None:
    for _ in range(5):
        say()
    assert written.counts() == [None]
    written.now += WINDOW
    log.info("daemon.started")
    assert written.lines() == [
        {"level": "warning", "event": "panel.retry", "panel": "north", "error": "busy"},
        {"level": "warning", "event": "panel.retry", "panel": "north", "error": "busy", "repeated": 4},
        {"level": "info", "event": "daemon.started"},
    ]


def test_a_line_that_goes_on_is_written_once_a_window(written: Log) -> None:
    for second in range(300):
        written.now = 1_000 + second
        say()
    counts = written.counts()
    assert counts == [None, 59, 60, 60, 60]


def test_what_came_once_is_written_as_new_after_its_window(written: Log) -> None:
    say()
    written.now += WINDOW
    say()
    assert written.counts() == [None, None]


def test_other_fields_make_another_line(written: Log) -> None:
    say("north")
    say("south")
    say("north")
    assert [line["panel"] for line in written.lines()] == ["north", "south"]


def test_nothing_is_lost_when_the_log_ends(written: Log) -> None:
    say()
    say()
    configure_logging("json", "debug", (), io.StringIO(), {})
    assert written.counts() == [None, 1]


def test_a_library_line_is_counted_too(written: Log) -> None:
    for _ in range(3):
        logging.getLogger("some.library").warning("slow %s", "disk")
    written.now += WINDOW
    log.info("daemon.started")
    assert written.counts() == [None, 2, None]
    assert written.lines()[1]["message"] == "slow disk"


@pytest.mark.parametrize(
    "event", ["action.unknown", "guard.held", "ledger.reconnected", "message.dead", "new.area"]
)
def test_what_is_about_actions_money_and_messages_is_written_every_time(written: Log, event: str) -> None:
    for _ in range(3):
        log.error(event, detail="the same")
    assert written.counts() == [None] * 3


def test_what_happens_within_the_work_on_an_action_is_written_every_time(written: Log) -> None:
    with correlated(intent=5):
        for _ in range(3):
            say()
    assert written.counts() == [None] * 3


def test_tracebacks_are_written_every_time(written: Log) -> None:
    for number in range(2):
        try:
            raise ValueError(number)
        except ValueError:
            log.exception("panel.answer_unforeseen", panel="north", action="status")
    assert ["ValueError: 0" in str(line["exception"]) for line in written.lines()] == [True, False]


def test_a_flood_of_different_lines_is_not_remembered_whole_and_loses_no_count(written: Log) -> None:
    say("first")
    say("first")
    for number in range(MOST_REMEMBERED):
        say(str(number))
    counted = [line for line in written.lines() if "repeated" in line]
    assert [(line["panel"], line["repeated"]) for line in counted] == [("first", 1)]
    assert len(written.lines()) == MOST_REMEMBERED + 2
