"""Every event the source emits is documented as it is, and every documented event exists."""

from __future__ import annotations

import re
from pathlib import Path

from smm_rules.observe.catalogue import CARRIED_FIELDS, RESERVED_FIELDS, areas, catalogue, page
from tests.observe.log_calls import LogCall, carried_fields, log_calls, package_log_calls

DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"
#: Events the logging pipeline itself makes, without a log call.
MADE_BY_THE_PIPELINE = {"library.message", "observe.line_lost"}
LEVELS = {"debug", "info", "warning", "error"}


def faults(call: LogCall) -> list[str]:
    if call.name is None:
        return [f"{call.place}: the event's name must be written out"]
    event = catalogue().get(call.name)
    if event is None:
        return [f"{call.place}: {call.name} is in no module of observe/events"]
    found = []
    if call.level is not None and call.level != event.level:
        found.append(f"{call.place}: {call.name} is listed as {event.level}, not {call.level}")
    for name in sorted(call.fields - set(event.fields) - set(event.optional)):
        found.append(f"{call.place}: {call.name} has no field {name} in the catalogue")
    if call.complete:
        for name in sorted(set(event.fields) - call.fields):
            found.append(f"{call.place}: {call.name} lacks its field {name}")
    return found


def test_every_log_call_is_as_the_catalogue_says() -> None:
    assert [fault for call in package_log_calls() for fault in faults(call)] == []


def test_every_event_of_the_catalogue_is_emitted() -> None:
    emitted = {call.name for call in package_log_calls()} | MADE_BY_THE_PIPELINE
    assert sorted(set(catalogue()) - emitted) == []


def test_what_work_carries_along_is_documented() -> None:
    assert carried_fields() == set(CARRIED_FIELDS)


def test_names_levels_and_fields_are_well_formed() -> None:
    for event in catalogue().values():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", event.name), event.name
        assert event.level in LEVELS, event.name
        names = (*event.fields, *event.optional)
        assert len(set(names)) == len(names), event.name
        assert RESERVED_FIELDS.isdisjoint(names), event.name
        assert event.meaning.endswith("."), event.name
        assert event.action.endswith((".", "`")), event.name


def test_the_page_of_events_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == page()


def test_the_page_lists_each_event_once() -> None:
    headings = re.findall(r"^### `(.+)`$", page(), re.MULTILINE)
    assert headings == [event.name for listed in areas().values() for event in listed]


def test_a_call_is_read_with_its_level_name_and_fields() -> None:
    source = 'self._log.bind(a=1).warning("area.event", panel=1, exc_info=True)'
    assert list(log_calls(source, "x.py")) == [
        LogCall("x.py:1", "warning", "area.event", frozenset({"panel"}), complete=True)
    ]


def test_a_conditional_name_counts_as_both_and_a_computed_one_as_none() -> None:
    source = 'log.exception("a.b" if x else "a.c", **more)\nlog.log(level, name)\nmath.log(3)\n'
    assert [(call.level, call.name, call.complete) for call in log_calls(source, "x.py")] == [
        ("error", "a.b", False),
        ("error", "a.c", False),
        (None, None, True),
    ]


def test_a_name_may_come_from_a_table_of_literals() -> None:
    source = '_SAID = {1: "a.b", 2: "a.c"}\ndef say(n):\n    log.info(_SAID[n])\n    log.info(_OTHER[n])\n'
    assert [call.name for call in log_calls(source, "x.py")] == ["a.b", "a.c", None]


def test_faults_are_found() -> None:
    missing = LogCall("x.py:1", "debug", "message.delivered", frozenset({"channel", "chanel"}), complete=True)
    assert faults(missing) == [
        "x.py:1: message.delivered has no field chanel in the catalogue",
        "x.py:1: message.delivered lacks its field message_id",
    ]
    wrong = LogCall("x.py:2", "info", "message.dead", frozenset(), complete=False)
    assert faults(wrong) == ["x.py:2: message.dead is listed as error, not info"]
    unlisted = LogCall("x.py:3", "info", "nobody.knows", frozenset(), complete=True)
    assert faults(unlisted) == ["x.py:3: nobody.knows is in no module of observe/events"]
