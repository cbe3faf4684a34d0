"""CSV, JSON Lines and YAML: what is read, what is refused, and that nothing good is lost beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.facts import Entity, EntityKind
from smm_rules.intake.lines import LONGEST_LINE, BadLine, SourceRefused
from smm_rules.intake.readers import read_json_lines, read_separated, read_yaml_list
from smm_rules.ledger.records import NewOrder, OrderSource
from tests.intake.reading import READERS, Reader, bad, ids, lines, options, orders, places

FULL = NewOrder(
    entity=Entity(EntityKind.ORDER, "south", "12"),
    service="7",
    parameters={"link": "https://example.com/a", "quantity": "1000", "comments": "one\ntwo"},
    placed_at=datetime(2026, 2, 1, 10, 30, tzinfo=UTC),
    label="mine",
    source=OrderSource.TRACKED,
)


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (
            read_separated,
            "panel,order,service,link,quantity,comments,placed_at,label\n"
            'south,12,7,https://example.com/a,1000,"one\ntwo",2026-02-01T12:30:00+02:00,mine\n',
        ),
        (
            read_json_lines,
            '{"panel": "south", "order": 12, "service": 7, "link": "https://example.com/a", '
            '"quantity": 1000, "comments": ["one", "two"], "placed_at": "2026-02-01T10:30:00Z", '
            '"label": "mine"}\n',
        ),
        (
            read_yaml_list,
            "orders:\n- panel: south\n  order: 12\n  service: 7\n  link: https://example.com/a\n"
            "  quantity: 1000\n  comments: [one, two]\n  placed_at: 2026-02-01T10:30:00Z\n  label: mine\n",
        ),
        (
            read_yaml_list,
            "- {panel: south, id: 12, service_id: 7, url: 'https://example.com/a', qty: 1000,"
            ' comments: "one\\ntwo", date: "2026-02-01T10:30:00Z", note: mine}\n',
        ),
    ],
)
def test_a_full_order_reads_the_same_from_everything(reader: Reader, text: str) -> None:
    assert lines(reader, text) == [FULL]


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_a_mark_at_the_start_of_the_file_is_no_part_of_it(reader: Reader) -> None:
    texts = {
        read_separated: "order\n5\n",
        read_json_lines: '{"order": 5}\n',
        read_yaml_list: "- order: 5\n",
    }
    assert ids(lines(reader, b"\xef\xbb\xbf" + texts[reader].encode())) == ["5"]


# -- columns -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["order", "order_id", "id", "Order ID", "ORDER-ID", " id "])
def test_the_order_goes_by_many_names(name: str) -> None:
    assert ids(lines(read_separated, f"{name}\n5\n")) == ["5"]


@pytest.mark.parametrize("name", ["placed_at", "created_at", "date", "Created At"])
def test_the_time_goes_by_many_names(name: str) -> None:
    (order,) = orders(lines(read_separated, f"id,{name}\n5,2026-02-01T10:30:00Z\n"))
    assert order.placed_at == FULL.placed_at


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("order,lnik", "'lnik' is not a known column. Did you mean \"link\"?"),
        ("ordr,lnik", "'ordr' is not a known column"),
        ("order,zzz", "Known are"),
        ("link,quantity", "no column gives the order's ID"),
        ("order,id", 'two columns say "order"'),
        ("order,,link", "a column has no name"),
        ('order,"link', "never closed"),
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
    ],
)
def test_a_header_that_cannot_be_used_refuses_the_file(header: str, words: str) -> None:
    with pytest.raises(SourceRefused) as refusal:
        lines(read_separated, f"{header}\n" if header else "")
    assert words in str(refusal.value)


def test_every_problem_of_a_header_is_told() -> None:
    with pytest.raises(SourceRefused) as refusal:
        lines(read_separated, "order,lnik,quantiti\n")
    assert "lnik" in str(refusal.value)
    assert "quantiti" in str(refusal.value)


def test_columns_can_be_passed_over() -> None:
    text = "order,status,charge,My Column\n5,Completed,1.20,anything\n"
    assert lines(read_separated, text, options(ignored="my_column")) == lines(read_separated, "order\n5\n")


def test_a_parameter_only_some_panel_knows_is_given_by_its_full_name() -> None:
    (order,) = orders(lines(read_separated, "order,parameter.votes\n5,12\n"))
    assert order.parameters == {"votes": "12"}


def test_an_unknown_name_in_one_entry_is_a_bad_line_of_its_own() -> None:
    found = lines(read_json_lines, '{"order": 1, "lnik": "x"}\n{"order": 2}\n')
    assert ids(found) == ["2"]
    assert "Did you mean" in bad(found)[0].to_do


# -- values ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("order", "12 34", "is no order ID"),
        ("order", "1.5", "is no order ID"),
        ("order", "1/2", "is no order ID"),
        ("order", "", "the order's ID is missing"),
        ("order", "1" * 65, "is no order ID"),
        ("service", "a b", "is no service ID"),
        ("panel", "nroth", "is not a configured panel"),
        ("quantity", "0", "is no quantity"),
        ("quantity", "-5", "is no quantity"),
        ("quantity", "1 000", "is no quantity"),
        ("quantity", "10.5", "is no quantity"),
        ("rate", "cheap", "is no rate"),
        ("rate", "NaN", "is no rate"),
        ("rate", "-1", "is no rate"),
        ("placed_at", "yesterday", "is no time"),
        ("placed_at", "2026-02-01T10:30:00", "doesn't say its time zone"),
        ("placed_at", "2026-02-01", "doesn't say its time zone"),
        ("placed_at", "2062-02-01T10:30:00Z", "can't be when the order was placed"),
        ("placed_at", "0001-01-01T00:00:00+14:00", "is out of range"),
        ("placed_at", "1999-02-01T10:30:00Z", "can't be when the order was placed"),
        ("link", "x" * 2049, "is longer than 2048 characters"),
        ("label", "x" * 201, "is longer than 200 characters"),
        ("label", "bell\x07", "holds a control character"),
        ("link", "two\nlines", "holds a control character"),
        ("comments", "one\n\x1b[31mred", "holds a control character"),
        ("label", "\ud800", "holds a control character"),
    ],
)
def test_a_value_that_cannot_be_right_is_a_bad_line(name: str, value: str, words: str) -> None:
    entry = json.dumps({"order": "1"} | {name: value})
    found = lines(read_json_lines, f'{entry}\n{{"order": "2"}}\n')
    assert ids(found) == ["2"]
    assert words in bad(found)[0].what
    assert str(bad(found)[0]).startswith("line 1: ")


def test_a_time_without_zone_is_read_in_the_zone_given() -> None:
    (order,) = orders(lines(read_separated, "id,date\n5,2026-02-01 13:30\n", options(zone="Europe/Istanbul")))
    assert order.placed_at == FULL.placed_at


def test_without_any_panel_a_line_says_so() -> None:
    found = lines(read_separated, "order\n5\n", options(panel=None))
    assert [line.what for line in bad(found)] == ["no panel is named"]


@pytest.mark.parametrize("value", ["1.5", "true", "{}", '{"a": 1}', "[1]", "[[]]", "1e5", "NaN"])
def test_json_of_the_wrong_kind_is_a_bad_line(value: str) -> None:
    found = lines(read_json_lines, f'{{"order": {value}}}\n{{"order": 2}}\n')
    assert ids(found) == ["2"]
    assert len(bad(found)) == 1


def test_a_long_number_loses_no_digit() -> None:
    number = "9" * 40
    for reader, text in ((read_json_lines, f'{{"order": {number}}}'), (read_yaml_list, f"- order: {number}")):
        assert ids(lines(reader, text)) == [number]


def test_yaml_scalars_are_taken_as_they_are_written() -> None:
    found = lines(
        read_yaml_list, "- {order: 010, label: yes}\n- {order: 0x1F, label: ~}\n- {order: 'null'}\n"
    )
    assert [(order.entity.id, order.label) for order in orders(found)] == [
        ("010", "yes"),
        ("0x1F", ""),
        ("null", ""),
    ]


def test_a_key_given_twice_is_a_bad_line() -> None:
    assert len(bad(lines(read_json_lines, '{"order": 1, "order": 2}'))) == 1
    assert len(bad(lines(read_yaml_list, "- {order: 1, id: 2}"))) == 1


# -- CSV ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_delimiters_and_endings(delimiter: str, ending: str) -> None:
    rows = [("order", "service", "label"), ("1", "7", "a"), ("2", "8", 'with "quote"')]
    text = ending.join(delimiter.join(row) for row in rows) + ending
    found = lines(read_separated, text)
    assert [(order.entity.id, order.service, order.label) for order in orders(found)] == [
        ("1", "7", "a"),
        ("2", "8", 'with "quote"'),
    ]


def test_quoted_values_hold_delimiters_quotes_and_line_breaks() -> None:
    found = lines(read_separated, 'order,label,comments\n1,"a, ""b""","one\n\ntwo"\n2,c,d\n')
    assert [(order.label, order.parameters["comments"]) for order in orders(found)] == [
        ('a, "b"', "one\n\ntwo"),
        ("c", "d"),
    ]


def test_a_quote_never_closed_costs_its_own_line() -> None:
    text = "order,label\n1,a\n" + '2,"open\n' + "".join(f"{number},x\n" for number in range(3, 2000))
    found = lines(read_separated, text)
    assert places(found) == [(3, "a quoted value is opened and never closed")]
    assert len(orders(found)) == 1998


def test_the_lines_between_two_stray_quotes_are_kept() -> None:
    text = 'order,label\n1,"open\n2,a\n3,b\n4,"fine"\n5,c\n'
    found = lines(read_separated, text)
    assert ids(found) == ["2", "3", "4", "5"]
    assert places(found) == [(2, "a quoted value is opened and never closed")]


def test_blank_lines_and_empty_rows_are_passed_over() -> None:
    assert ids(lines(read_separated, "\norder,label\n\n1,a\n,\n2,b\n\n")) == ["1", "2"]


def test_more_values_than_columns_is_a_bad_line() -> None:
    found = lines(read_separated, "order,label\n1,a,b\n2,c,,\n3\n")
    assert ids(found) == ["2", "3"]
    assert places(found) == [(2, "3 values for 2 columns")]


def test_a_line_that_is_not_utf_8_is_a_bad_line() -> None:
    found = lines(read_separated, b"order,label\n1,caf\xe9\n2,ok\n")
    assert ids(found) == ["2"]
    assert bad(found) == [BadLine(2, "byte 6 is not UTF-8", "Save the file as UTF-8", "1,caf\\xe9")]


@pytest.mark.parametrize("reader", [read_separated, read_json_lines])
def test_a_file_in_utf_16_is_refused(reader: Reader) -> None:
    with pytest.raises(SourceRefused, match="UTF-16"):
        lines(reader, "order\n5\n".encode("utf-16"))


@pytest.mark.parametrize("reader", [read_separated, read_json_lines])
def test_a_line_too_long_is_a_bad_line_and_the_next_is_read(reader: Reader) -> None:
    texts = {
        read_separated: ("order,label\n", "2,b\n", 3),
        read_json_lines: ('{"order": 1}\n', '{"order": 2}\n', 3),
    }
    first, last, _ = texts[reader]
    found = lines(reader, f"{first}{'x' * (3 * LONGEST_LINE)}\n{last}")
    assert places(found) == [(2, f"the line is longer than {LONGEST_LINE} bytes")]
    assert "2" in ids(found)


# -- YAML --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    ["", "5", "a: 1", "orders: 5", "{a: 1}", "orders:", "!!python/object:os.system []\n", "%", "- [", "\0"],
)
def test_yaml_without_a_list_of_orders_gives_no_order(text: str) -> None:
    try:
        found = lines(read_yaml_list, text)
    except SourceRefused:
        found = []
    assert orders(found) == []


def test_broken_yaml_keeps_what_came_before_and_says_that_it_ends() -> None:
    found = lines(read_yaml_list, "- {order: 1}\n- {order: 2\n- {order: 3}\n")
    assert ids(found) == ["1"]
    assert "nothing after this is read" in bad(found)[0].what


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("&a {order: 1}", "anchors and aliases"),
        ("!!map {order: 1, label: !!str x}", "the tag"),
        ("5", "isn't a mapping"),
        ("[1]", "isn't a mapping"),
        ("{[1]: 2}", "isn't plain text"),
        ("{order: [" + "[" * 20 + "]" * 20 + "]}", "nested too deeply"),
        ("{order: {a: b}}", '"order" is'),
    ],
)
def test_an_entry_that_is_no_order_is_bad_and_the_next_is_read(entry: str, words: str) -> None:
    found = lines(read_yaml_list, f"- {entry}\n- {{order: 2}}\n")
    assert ids(found) == ["2"]
    assert words in bad(found)[0].what


def test_what_follows_the_list_is_not_silently_dropped() -> None:
    found = lines(read_yaml_list, "orders:\n- {order: 1}\nmore:\n- {order: 2}\n")
    assert ids(found) == ["1"]
    assert places(found) == [(3, "something follows the list of orders; it is not read")]


def test_an_endless_scalar_is_bounded() -> None:
    found = lines(read_yaml_list, "- {order: 1}\n- order: " + "x" * (6 * LONGEST_LINE))
    assert ids(found) == ["1"]
    assert len(bad(found)) == 1


# -- laws --------------------------------------------------------------------------------------------------
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(READERS)), st.binary(max_size=300))
def test_no_bytes_crash_a_reader(name: str, data: bytes) -> None:
    try:
        found = lines(READERS[name], data)
    except SourceRefused:
        found = []
    assert all(isinstance(line, NewOrder | BadLine) for line in found)


TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters='"\r\n'), max_size=30)


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=20))
def test_every_line_of_csv_is_an_order_or_a_bad_line(values: list[str]) -> None:
    found = lines(read_separated, "order,label\n" + "".join(f"{value}\n" for value in values))
    assert len(found) == sum(1 for value in values if value.strip(" \t,;"))


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXTS, max_size=20))
def test_every_line_of_json_is_an_order_or_a_bad_line(values: list[str]) -> None:
    found = lines(read_json_lines, "".join(f"{value}\n" for value in values))
    assert len(found) == sum(1 for value in values if value.strip())


#: What JSON and YAML write alike.
PLAIN = st.text(alphabet=[*map(chr, range(32, 127)), "é", "ğ", "\n"], max_size=30)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(["order", "link", "label", "x"]), PLAIN), max_size=10))
def test_every_entry_is_an_order_or_a_bad_line_in_json_and_yaml_alike(entries: list[dict[str, str]]) -> None:
    as_json = "".join(f"{json.dumps(entry)}\n" for entry in entries)
    as_yaml = json.dumps(entries)
    from_json, from_yaml = lines(read_json_lines, as_json), lines(read_yaml_list, as_yaml)
    assert len(from_json) == len(entries)
    assert orders(from_yaml) == orders(from_json)
    assert len(from_yaml) == len(entries)
