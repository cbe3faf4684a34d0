"""What a panel repeats isn't read twice, and that changes nothing of what its answers come to."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.panel import repeats, wire
from smm_rules.panel.answers import OrderState, Refused
from smm_rules.panel.client import PanelClient
from smm_rules.panel.entries import entry_texts
from smm_rules.panel.errors import PanelError, Unreadable
from smm_rules.panel.repeats import NOTHING_KNOWN, Reading, Remembered, fingerprints, read, read_same
from smm_rules.panel.replies import Reply, judge
from tests.panel import fault_server as faults
from tests.panel.fault_server import FaultServer, Seen

IDS = ("1", "2", "3")
DONE = {"charge": "1", "start_count": None, "status": "Completed", "remains": 0, "currency": "USD"}
HALF = {**DONE, "status": "Partial", "remains": "157"}
#: Entries as text: plain ones, nested ones, broken ones, and what tries to look like the end of one.
ENTRIES = st.sampled_from(
    [
        json.dumps(DONE),
        json.dumps(HALF),
        json.dumps({**HALF, "status": "In progress"}, separators=(",", ":")),
        '{"status":"Completed","remains":0}',
        '{"status":"Completed","remains":1,"remains":2}',
        '{"status":"Active","orders":["11","12"],"runs":"2","expiry":"01/01/2027"}',
        '{"status":"Active","orders":[{"order":"11"}]}',
        '{"error":"Incorrect order ID"}',
        '{"error":"Rate limit exceeded"}',
        '{"order":"2","status":"Completed"}',
        '{"\\u006frder":"2","status":"Completed"}',
        '{"status":"a},\\"2\\":{b"}',
        '{"status":"a},"2":{b"}',
        '{"status":"Completed"',
        '{"status":NaN}',
        '{"status":"\x01"}',
        '{"charge":1e999999,"status":"Partial"}',
        "{}",
        "[]",
        '"Completed"',
        '"Incorrect order ID"',
        "null",
    ]
)
NAMES = st.sampled_from(['"1"', '"2"', '"3"', '"4"', '"01"', '"error"', "1", '"\\u0031"'])
GLUE = st.sampled_from([",", " , ", ",\n", ",,", "", "}"])


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """An answer of few entries, as a panel writes it or nearly so."""
    members = draw(st.lists(st.tuples(NAMES, ENTRIES), min_size=0, max_size=4))
    glue = draw(st.one_of(st.just(","), GLUE))
    opening, end = draw(st.sampled_from([("{", "}"), ("{ ", " }\n"), ("{", ""), ("[", "]"), ("{", "}}")]))
    colon = draw(st.sampled_from([":", ": "]))
    return opening + glue.join(f"{name}{colon}{entry}" for name, entry in members) + end


@st.composite
def whole_bodies(draw: st.DrawFn) -> str:
    """An answer about all of `IDS`, most of it readable."""
    entries = draw(st.lists(ENTRIES, min_size=len(IDS), max_size=len(IDS)))
    plain = draw(st.booleans())
    members = [
        f'"{name}":{json.dumps(DONE) if plain else entry}' for name, entry in zip(IDS, entries, strict=True)
    ]
    return "{" + ",".join(members) + "}"


def plainly(reply: Reply) -> Mapping[str, OrderState | Refused] | type[PanelError]:
    """What the answer comes to by the ordinary way."""
    try:
        return wire.read_order_states(judge(reply), IDS).found
    except PanelError as error:
        return type(error)


def with_repeats(
    reply: Reply, known: Mapping[str, int], remembered: Remembered | None = None
) -> Reading[OrderState] | type[PanelError]:
    try:
        return read(reply, IDS, known, wire.read_order_states, remembered)
    except PanelError as error:
        return type(error)


@given(
    st.lists(st.one_of(bodies(), whole_bodies()), min_size=1, max_size=3).flatmap(
        lambda few: st.lists(st.sampled_from(few), min_size=1, max_size=6)
    ),
    st.sampled_from([200, 200, 200, 201, 429, 500]),
)
def test_an_answer_comes_to_the_same_whatever_was_read_before(texts: list[str], status: int) -> None:
    known: dict[str, int] = {}
    remembered = Remembered()
    for body in texts:
        reply = Reply(status, body)
        expected = plainly(reply)
        reading = with_repeats(reply, known, remembered)
        assert reading == with_repeats(reply, known)
        if not isinstance(reading, Reading):
            assert reading == expected
            continue
        same = read_same(reading.same, wire.read_order_states)
        assert reading.found | same == expected
        known |= reading.prints


@given(bodies(), bodies())
def test_what_is_the_same_was_read_from_the_same_text(first: str, second: str) -> None:
    before = with_repeats(Reply(200, first), NOTHING_KNOWN)
    if not isinstance(before, Reading):
        return
    again = with_repeats(Reply(200, second), before.prints)
    if not isinstance(again, Reading):
        return
    texts = entry_texts(Reply(200, first)) or {}
    assert {name: said.about(name) for name, said in again.same.items()} == {
        name: texts[name] for name in again.same
    }
    assert read_same(again.same, wire.read_order_states) == {name: before.found[name] for name in again.same}


def test_a_repeated_answer_is_not_read_at_all() -> None:
    reply = Reply(200, json.dumps({"1": DONE, "2": HALF}))
    first = read(reply, IDS, NOTHING_KNOWN, wire.read_order_states)
    assert first.prints.keys() == {"1", "2"}
    again = read(reply, IDS, first.prints, wire.read_order_states)
    assert (again.found, set(again.same)) == ({}, {"1", "2"})


def test_a_whole_answer_that_is_repeated_is_not_even_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered, reply = Remembered(), Reply(200, json.dumps(dict.fromkeys(IDS, DONE)))
    known = read(reply, IDS, NOTHING_KNOWN, wire.read_order_states, remembered).prints
    assert len(remembered) == 0
    first = read(reply, IDS, known, wire.read_order_states, remembered)
    assert len(remembered) == 1
    cut: list[Reply] = []
    monkeypatch.setattr(repeats, "entry_texts", cut.append)
    again = read(reply, IDS, known, wire.read_order_states, remembered)
    assert (again.found, again.same.keys(), cut) == ({}, first.same.keys(), [])
    assert read_same(again.same, wire.read_order_states) == read_same(first.same, wire.read_order_states)


@pytest.mark.parametrize(
    ("body", "ids", "changed"),
    [
        (json.dumps(dict.fromkeys(IDS, HALF)), IDS, None),
        (json.dumps(dict.fromkeys(IDS, DONE)), IDS[:2], None),
        (json.dumps(dict.fromkeys(IDS, DONE)), IDS, "2"),
    ],
    ids=["it says something else", "other orders are meant", "an order was read otherwise since"],
)
def test_an_answer_is_read_again_when(
    body: str, ids: tuple[str, ...], changed: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered, reply = Remembered(), Reply(200, json.dumps(dict.fromkeys(IDS, DONE)))
    known = dict(read(reply, IDS, NOTHING_KNOWN, wire.read_order_states).prints)
    read(reply, IDS, known, wire.read_order_states, remembered)
    if changed is not None:
        known[changed] += 1
    expected = read(Reply(200, body), ids, known, wire.read_order_states)
    assert read(Reply(200, body), ids, known, wire.read_order_states, remembered) == expected
    assert [len(expected.found), len(expected.same)] != [0, len(IDS)]


def test_only_so_many_answers_are_remembered_the_latest_ones() -> None:
    remembered = Remembered(most=20)
    for number in range(20):
        remembered.add(number)
    assert 0 in remembered  # and is the latest one now
    remembered.add(20)
    assert [number for number in range(21) if number in remembered] == [0, *range(4, 21)]


def test_of_a_partly_new_answer_only_the_news_is_read() -> None:
    known = read(
        Reply(200, json.dumps({"1": DONE, "2": DONE})), IDS, NOTHING_KNOWN, wire.read_order_states
    ).prints
    again = read(Reply(200, json.dumps({"1": DONE, "2": HALF})), IDS, known, wire.read_order_states)
    assert [set(part) for part in (again.found, again.same, again.prints)] == [{"2"}, {"1"}, {"2"}]


def test_broken_text_beside_repeats_makes_the_whole_unreadable() -> None:
    known = read(Reply(200, '{"1":{"status":"Partial"}}'), IDS, NOTHING_KNOWN, wire.read_order_states).prints
    with pytest.raises(Unreadable):
        read(Reply(200, '{"1":{"status":"Partial"},"2":{"status":}}'), IDS, known, wire.read_order_states)


def test_broken_text_about_what_wasnt_asked_makes_the_whole_unreadable() -> None:
    known = read(Reply(200, '{"1":{"status":"Partial"}}'), IDS, NOTHING_KNOWN, wire.read_order_states).prints
    for before in (NOTHING_KNOWN, known):
        with pytest.raises(Unreadable):
            read(
                Reply(200, '{"1":{"status":"Partial"},"4":{"status":NaN}}'),
                IDS,
                before,
                wire.read_order_states,
            )


@pytest.mark.parametrize(
    "body",
    [
        '{"1":{"status":"Partial"},"1":{"status":"Partial"}}',
        '[{"order":"1","status":"Partial"}]',
        '{"1":{"status":"Partial"}}{}',
        '{"1":{"status":"Partial"},}',
        '{"1":{"status":{"a":1}}}',
        '{"status":"Partial"}',
        "{}",
        "",
    ],
)
def test_another_shape_is_not_cut(body: str) -> None:
    assert entry_texts(Reply(200, body)) is None


def test_an_answer_with_an_error_s_status_is_not_cut() -> None:
    assert entry_texts(Reply(500, json.dumps({"1": DONE}))) is None


def test_fingerprints_fit_a_column_and_tell_texts_apart() -> None:
    prints = set(fingerprints({str(number): str(number) for number in range(10_000)}).values())
    assert len(prints) == 10_000
    assert all(-(2**63) <= value < 2**63 for value in prints)


async def test_the_client_tells_repeats_from_news(server: FaultServer, client: PanelClient) -> None:
    ids = [str(number) for number in range(1, 202)]
    answers = dict.fromkeys(ids, DONE)

    def respond(seen: Seen) -> object:
        asked = (seen.form.get("orders") or seen.form["order"]).split(",")
        return {name: answers[name] for name in asked}

    server.script(faults.answer_by(respond))
    first = await client.order_states(ids)
    answers["150"] = HALF
    second = await client.order_states(ids, first.prints)
    assert first.prints.keys() == set(ids)
    assert second.found.keys() == {"150"}
    assert second.same.keys() == set(ids) - {"150"}
    assert (second.missing, second.failed) == ((), {})
