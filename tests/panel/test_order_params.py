"""What an `add` takes, for every service type, and what it costs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.panel.order_params import OrderParameterError, cost, order_parameters, ordered_quantity
from smm_rules.panel.order_types import ORDER_TYPES, order_type

LINK = {"service": "12", "link": "https://example.org/a"}
LINKED = LINK | {"quantity": "1000"}
DRIP = {"runs": "5", "interval": "60"}
TRAFFIC = LINKED | {"country": "US", "device": "5", "type_of_traffic": "3"}
SUBSCRIBED = {"service": "12", "username": "someone", "min": "10", "max": "20", "delay": "15"}

#: For each type a complete set of parameters, those it may also have, and the quantity of one run.
COMPLETE: dict[str, tuple[dict[str, str], dict[str, str], int | None]] = {
    "Default": (LINKED, DRIP, 1000),
    "Package": (LINK, {}, 1),
    "Custom Comments": (LINK | {"comments": "a\nb\nc"}, {}, 3),
    "Custom Comments Package": (LINK | {"comments": "a\nb\nc"}, {}, 1),
    "Mentions": (LINKED | {"usernames": "a\nb"}, {}, 1000),
    "Mentions with Hashtags": (LINKED | {"usernames": "a\nb", "hashtags": "#x"}, {}, 1000),
    "Mentions Custom List": (LINK | {"usernames": "a\nb"}, {}, 2),
    "Mentions Hashtag": (LINKED | {"hashtag": "x"}, {}, 1000),
    "Mentions User Followers": (LINKED | {"username": "a"}, {}, 1000),
    "Mentions Media Likers": (LINKED | {"media": "https://example.org/m"}, {}, 1000),
    "Comment Likes": (LINKED | {"username": "a"}, {}, 1000),
    "Comment Replies": (LINK | {"username": "a", "comments": "x\ny"}, {}, 2),
    "Poll": (LINKED | {"answer_number": "2"}, {}, 1000),
    "Invites from Groups": (LINKED | {"groups": "https://example.org/g"}, {}, 1000),
    "SEO": (LINKED | {"keywords": "one two\nthree"}, {}, 1000),
    "Web Traffic": (TRAFFIC, DRIP | {"google_keyword": "k", "referring_url": "https://example.org/"}, 1000),
    "Subscriptions": (SUBSCRIBED, {"posts": "3", "old_posts": "0", "expiry": "31/12/2030"}, None),
}
TYPES = pytest.mark.parametrize("name", COMPLETE)


def problems(name: str, parameters: dict[str, str]) -> list[str]:
    with pytest.raises(OrderParameterError) as raised:
        order_parameters(name, parameters)
    return list(raised.value.problems)


def test_every_type_of_the_table_is_tested() -> None:
    assert COMPLETE.keys() == ORDER_TYPES.keys()


@TYPES
def test_a_complete_order_passes_unchanged(name: str) -> None:
    required, optional, _ = COMPLETE[name]
    assert order_parameters(name, required) == required
    assert order_parameters(name, required | optional) == required | optional


@TYPES
def test_each_missing_parameter_is_named(name: str) -> None:
    required, _, _ = COMPLETE[name]
    assert sorted(problems(name, {})) == sorted(f"{parameter} is missing" for parameter in required)
    for parameter in required:
        rest = {other: value for other, value in required.items() if other != parameter}
        assert problems(name, rest) == [f"{parameter} is missing"]
        assert problems(name, required | {parameter: "  "}) == [f"{parameter} is missing"]


@TYPES
def test_an_unknown_parameter_is_named_with_a_suggestion(name: str) -> None:
    required, _, _ = COMPLETE[name]
    assert problems(name, required | {"zzz": "1"}) == ["zzz is no parameter of it"]
    known = next(parameter for parameter in required if parameter != "service")
    assert problems(name, required | {f"{known}_": "1"}) == [
        f'{known}_ is no parameter of it. Did you mean "{known}"?'
    ]


@TYPES
def test_a_type_s_name_is_matched_whatever_its_case_and_spacing(name: str) -> None:
    for spelling in (name.lower(), name.upper(), name.replace(" ", "_"), f" {name} "):
        assert order_type(spelling) is ORDER_TYPES[name]


@TYPES
def test_the_quantity_of_one_run(name: str) -> None:
    required, optional, quantity = COMPLETE[name]
    assert ordered_quantity(name, required | optional) == quantity


@pytest.mark.parametrize(
    ("name", "changed", "problem"),
    [
        ("Default", {"quantity": "0"}, "quantity must be a whole number of 1 or more, written in digits"),
        ("Default", {"quantity": "-5"}, "quantity must be a whole number of 1 or more, written in digits"),
        ("Default", {"quantity": "1,000"}, "quantity must be a whole number of 1 or more, written in digits"),
        ("Default", {"quantity": "1e3"}, "quantity must be a whole number of 1 or more, written in digits"),
        ("Default", {"quantity": "٣"}, "quantity must be a whole number of 1 or more, written in digits"),
        (
            "Default",
            {"quantity": "9" * 50},
            "quantity must be a whole number of 1 or more, written in digits",
        ),
        ("Default", {"link": "a\nb"}, "link must be one line without control characters"),
        ("Default", {"link": "x" * 3000}, "link must not be longer than 2048 characters"),
        ("Default", {"service": "1 or 2"}, "service must be the ID of a service of the panel"),
        ("Default", {"runs": "5"}, "runs and interval are given together or not at all"),
        ("Web Traffic", {"interval": "5"}, "runs and interval are given together or not at all"),
        ("Web Traffic", {"device": "6"}, "device must be one of 1, 2, 3, 4, 5"),
        ("Web Traffic", {"type_of_traffic": "google"}, "type_of_traffic must be one of 1, 2, 3"),
        (
            "Web Traffic",
            {"type_of_traffic": "1"},
            "google_keyword is missing: type_of_traffic 1 needs it",
        ),
        (
            "Web Traffic",
            {"type_of_traffic": "2"},
            "referring_url is missing: type_of_traffic 2 needs it",
        ),
        ("Subscriptions", {"min": "21"}, "min must not be above max"),
        ("Subscriptions", {"delay": "-1"}, "delay must be a whole number of 0 or more, written in digits"),
        ("Subscriptions", {"link": "https://example.org"}, "link is no parameter of it"),
        *(
            (
                "Subscriptions",
                {"expiry": text},
                "expiry must be a date written day/month/year, like 31/12/2030",
            )
            for text in ("2030-12-31", "31/12/30", "12/31/2030", "30/02/2030", "soon", "1//2030")
        ),
        ("Custom Comments", {"quantity": "4"}, "quantity must be the number of comments, 3, or be left out"),
        ("Package", {"key": "x"}, "key is no parameter of it"),
    ],
)
def test_a_malformed_parameter_is_named(name: str, changed: dict[str, str], problem: str) -> None:
    assert problems(name, COMPLETE[name][0] | changed) == [problem]


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(OrderParameterError) as raised:
        order_parameters("Default", {"service": "1", "quantity": "x", "lnk": "y"})
    assert str(raised.value) == (
        "an order of type Default: link is missing; quantity must be a whole number of 1 or more, written in "
        'digits; lnk is no parameter of it. Did you mean "link"?'
    )


def test_lists_are_put_one_entry_a_line_without_blank_ones() -> None:
    given_ = LINK | {"comments": "  first\r\n\r\nsecond \n\n"}
    assert order_parameters("Custom Comments", given_) == LINK | {"comments": "first\nsecond"}


def test_a_quantity_that_agrees_with_its_list_is_not_sent() -> None:
    required = COMPLETE["Custom Comments"][0]
    assert order_parameters("Custom Comments", required | {"quantity": "3"}) == required


def test_an_empty_optional_parameter_is_left_out() -> None:
    assert order_parameters("Default", LINKED | {"runs": "", "interval": " "}) == LINKED


def test_a_date_is_written_in_full() -> None:
    assert order_parameters("Subscriptions", SUBSCRIBED | {"expiry": "1/2/2030"})["expiry"] == "01/02/2030"


def test_an_unknown_type_passes_everything_through() -> None:
    given_ = {"service": "12", "anything": "goes", "empty": ""}
    assert order_parameters("Brand new", given_) == given_


@pytest.mark.parametrize("name", ["key", "KEY", "action", "Action"])
def test_an_unknown_type_can_t_replace_the_key_or_the_action(name: str) -> None:
    assert problems("Brand new", {"service": "1", name: "x"}) == [f"{name} is set by smm-rules itself"]


def test_an_unknown_type_s_names_are_names() -> None:
    assert problems("Brand new", {"service": "1", "a&b=\n": "x"}) == ["a&b= is no name of a parameter"]


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("Default", {"quantity": "1000"}, "0.90"),
        ("Default", {"quantity": "157"}, "0.1413"),
        ("default", {"quantity": "100", "runs": "5", "interval": "60"}, "0.45"),
        ("Web Traffic", {"quantity": "100", "runs": "2", "interval": "60"}, "0.18"),
        ("Custom Comments", {"comments": "a\n\nb\r\nc"}, "0.0027"),
        ("Comment Replies", {"comments": "a"}, "0.0009"),
        ("Mentions Custom List", {"usernames": "a\nb"}, "0.0018"),
        ("Package", {}, "0.90"),
        ("Custom Comments Package", {"comments": "a\nb"}, "0.90"),
        ("Subscriptions", {"min": "10", "max": "20", "quantity": "5"}, None),
        ("Brand new", {"quantity": "1000"}, "0.90"),
        ("Brand new", {}, None),
        ("Default", {}, None),
        ("Default", {"quantity": "many"}, None),
        ("Default", {"quantity": "10", "runs": "many"}, None),
        ("Custom Comments", {"comments": " \n"}, None),
    ],
)
def test_what_an_order_costs(name: str, parameters: dict[str, str], expected: str | None) -> None:
    assert cost(Decimal("0.90"), parameters, name) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize("rate", [None, Decimal("-1"), Decimal("NaN"), Decimal("Infinity")])
def test_a_cost_without_a_rate_is_unknown(rate: Decimal | None) -> None:
    assert cost(rate, {"quantity": "1000"}, "Default") is None


@given(
    st.sampled_from([*ORDER_TYPES, "Brand new"]),
    st.dictionaries(st.sampled_from([*TRAFFIC, *SUBSCRIBED, "comments", "runs"]) | st.text(), st.text()),
)
def test_any_parameters_are_checked_or_refused(name: str, parameters: dict[str, str]) -> None:
    try:
        checked = order_parameters(name, parameters)
    except OrderParameterError as error:
        named = error.problems
    else:
        named = ()
        assert order_parameters(name, checked) == checked
    price = cost(Decimal("1.5"), parameters, name)
    assert all(named)
    assert price is None or price > 0
