"""One test for each way panels drift from the page that describes them, in both dialects where both have it.

The documented dialect writes numbers as text and errors as objects. The other one writes numbers, flags as
0 and 1, errors as bare strings, `[]` for an empty object, and says `status: success` beside everything.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from smm_rules.panel.answers import (
    Accepted,
    Balance,
    OrderState,
    RefillState,
    Refused,
    Service,
)
from smm_rules.panel.errors import RefusalReason, Rejected, Unreadable
from smm_rules.panel.wire import (
    Entries,
    read_balance,
    read_cancels,
    read_catalogue,
    read_new_order,
    read_order_states,
    read_refill,
    read_refill_states,
    read_refills,
)

PARTIAL = OrderState("Partial", True, 157, 3572, Decimal("0.27819"), "USD")
DOCUMENTED_STATE = {
    "charge": "0.27819",
    "start_count": "3572",
    "status": "Partial",
    "remains": "157",
    "currency": "USD",
}
NUMERIC_STATE = {
    "order": 1,
    "charge": Decimal("0.27819"),
    "start_count": 3572,
    "status": "partial",
    "remains": 157,
    "currency": "usd",
}
DIALECTS = pytest.mark.parametrize("state", [DOCUMENTED_STATE, NUMERIC_STATE], ids=["documented", "numeric"])


def one_state(entry: object) -> OrderState | Refused | None:
    return read_order_states({"1": entry}, ["1", "2"]).found.get("1")


# -- catalogue --------------------------------------------------------------------------------------------
DOCUMENTED_ROW = {
    "service": 1,
    "name": "Followers",
    "type": "Default",
    "category": "First",
    "rate": "0.90",
    "min": "50",
    "max": "10000",
    "refill": True,
    "cancel": False,
}
NUMERIC_ROW = {
    "service": "1",
    "name": "Followers",
    "type": "Default",
    "category": "First",
    "rate": Decimal("0.90"),
    "min": 50,
    "max": "10,000",
    "refill": 1,
    "canceling_is_available": "0",
}


@pytest.mark.parametrize("row", [DOCUMENTED_ROW, NUMERIC_ROW], ids=["documented", "numeric"])
def test_a_service_is_read_in_both_dialects(row: dict[str, object]) -> None:
    expected = Service("1", "Followers", "Default", "First", Decimal("0.90"), 50, 10_000, True, False, None)
    assert read_catalogue([row]).services == (expected,)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (True, True),
        (False, False),
        (1, True),
        (0, False),
        ("1", True),
        ("0", False),
        ("true", True),
        ("False", False),
        (None, None),
        ("maybe", None),
        (2, None),
        ([], None),
    ],
)
def test_a_flag_comes_as_bool_number_or_text(written: object, expected: bool | None) -> None:
    (service,) = read_catalogue([{"service": 1, "refill": written, "dripfeed": written}]).services
    assert (service.refill, service.dripfeed) == (expected, expected)


@pytest.mark.parametrize("empty", [[], {}])
def test_an_empty_catalogue_is_a_fault(empty: object) -> None:
    with pytest.raises(Unreadable, match="empty"):
        read_catalogue(empty)


def test_a_catalogue_numbered_with_gaps_comes_as_an_object() -> None:
    catalogue = read_catalogue({"0": {"service": 1}, "2": {"service": 3}})
    assert [service.id for service in catalogue.services] == ["1", "3"]


def test_rows_that_can_t_be_read_are_left_out_and_told() -> None:
    catalogue = read_catalogue([{"service": 1}, {"name": "x"}, None, {"service": 1}, {"service": -4}])
    assert [service.id for service in catalogue.services] == ["1"]
    assert catalogue.unreadable == (
        "row 2 has no service ID",
        "row 3 has no service ID",
        "row 4 names service 1 again",
        "row 5 has no service ID",
    )


def test_a_catalogue_without_a_readable_row_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="none of the catalogue's 2 rows"):
        read_catalogue([{"name": "x"}, []])


# -- balance ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "document",
    [
        {"balance": "100.84292", "currency": "USD"},
        {"status": "success", "balance": Decimal("100.84292"), "currency": "usd"},
        [{"balance": "100.84292", "currency": "USD"}],
    ],
)
def test_a_balance_is_read_in_both_dialects(document: object) -> None:
    assert read_balance(document) == Balance(Decimal("100.84292"), "USD")


def test_a_balance_with_thousands_separators() -> None:
    assert read_balance({"balance": "1,234.56", "currency": "Euro"}) == Balance(Decimal("1234.56"), None)


@pytest.mark.parametrize("written", [None, "", "N/A", "0,90", True, [], "1e999999999", "١٢"])
def test_a_balance_that_is_no_number_is_unreadable(written: object) -> None:
    with pytest.raises(Unreadable, match="no balance"):
        read_balance({"balance": written})


# -- order states -----------------------------------------------------------------------------------------
@DIALECTS
def test_one_order_answers_its_bare_state(state: dict[str, object]) -> None:
    assert read_order_states(state, ["1"]) == Entries({"1": PARTIAL}, ())


@DIALECTS
def test_many_orders_answer_by_id(state: dict[str, object]) -> None:
    assert read_order_states({"1": state}, ["1", "2"]) == Entries({"1": PARTIAL}, ())


def test_many_orders_answer_as_a_list() -> None:
    assert read_order_states([NUMERIC_STATE], ["1", "2"]) == Entries({"1": PARTIAL}, ())


def test_an_order_that_is_not_in_the_answer_is_left_out() -> None:
    assert read_order_states({"1": DOCUMENTED_STATE}, ["1", "2"]).found.keys() == {"1"}


@pytest.mark.parametrize("ids", [["1"], ["1", "2"]])
def test_an_empty_object_arrives_as_an_empty_list(ids: list[str]) -> None:
    assert read_order_states([], ids) == Entries({}, ())


def test_orders_that_were_not_asked_for_are_ignored() -> None:
    found = read_order_states({"1": DOCUMENTED_STATE, "9": DOCUMENTED_STATE}, ["1", "2"]).found
    assert found.keys() == {"1"}


def test_an_answer_about_other_orders_alone_leaves_all_out() -> None:
    assert read_order_states({"8": DOCUMENTED_STATE, "9": DOCUMENTED_STATE}, ["1", "2"]) == Entries({}, ())


def test_a_state_that_says_it_is_another_order_s_is_not_believed() -> None:
    assert read_order_states(DOCUMENTED_STATE | {"order": 2}, ["1"]).found == {}
    mixed = {"1": DOCUMENTED_STATE | {"order": 2}, "2": DOCUMENTED_STATE}
    assert read_order_states(mixed, ["1", "2"]) == Entries({"2": PARTIAL}, ("1",))


def test_states_that_contradict_each_other_are_unreadable() -> None:
    rows = [NUMERIC_STATE, NUMERIC_STATE | {"status": "Completed"}]
    assert read_order_states(rows, ["1", "2"]) == Entries({}, ("1",))


def test_a_bare_state_for_many_orders_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="none of the IDs"):
        read_order_states(DOCUMENTED_STATE, ["1", "2"])


@pytest.mark.parametrize(
    "entry",
    [
        {"error": "Incorrect order ID"},
        "Incorrect order ID",
        {"status": "Incorrect order ID"},
        {"status": {"error": "Incorrect order ID"}},
        {"status": "fail", "message": "Incorrect order ID"},
    ],
)
def test_an_error_for_one_order_is_an_object_or_a_bare_string(entry: object) -> None:
    assert one_state(entry) == Refused("Incorrect order ID")


def test_a_rate_limit_for_one_order_says_nothing_about_it() -> None:
    assert read_order_states({"1": {"error": "Rate limit exceeded"}}, ["1", "2"]) == Entries({}, ("1",))


@pytest.mark.parametrize("remains", ["-5", -5, Decimal("-5.0")])
def test_remains_may_be_negative(remains: object) -> None:
    assert one_state(DOCUMENTED_STATE | {"remains": remains}) == OrderState(
        "Partial", True, -5, 3572, Decimal("0.27819"), "USD"
    )


@pytest.mark.parametrize("unsaid", [None, "", "Unknown", [], "12.5", True])
def test_remains_and_start_count_may_be_unsaid(unsaid: object) -> None:
    assert one_state(DOCUMENTED_STATE | {"remains": unsaid, "start_count": unsaid}) == OrderState(
        "Partial", True, None, None, Decimal("0.27819"), "USD"
    )


@pytest.mark.parametrize(
    "enormous", [10**200, "9" * 300, Decimal("1e999999999"), Decimal("1e-999999999"), "1e400"]
)
def test_enormous_numbers_are_unknown(enormous: object) -> None:
    assert one_state({"status": "Partial", "remains": enormous, "charge": enormous}) == OrderState(
        "Partial", True
    )


@pytest.mark.parametrize("spelling", ["Cancelled", "canceled", " CANCELED "])
def test_canceled_has_two_spellings(spelling: str) -> None:
    assert one_state({"status": spelling}) == OrderState("Canceled", True)


@pytest.mark.parametrize("spelling", ["In progress", "in_progress", "Inprogress", "In Progress"])
def test_in_progress_has_many_spellings(spelling: str) -> None:
    assert one_state({"status": spelling}) == OrderState("In progress", True)


def test_a_status_nobody_knows_is_kept() -> None:
    assert one_state({"status": "Awaiting moderation"}) == OrderState("Awaiting moderation", False)


@pytest.mark.parametrize("status", [None, "", "  ", True, [], 1.5])
def test_an_order_without_a_status_is_unreadable(status: object) -> None:
    assert read_order_states({"1": {"status": status}}, ["1", "2"]) == Entries({}, ("1",))


def test_a_bare_status_for_one_of_many_is_a_state() -> None:
    assert one_state("completed") == OrderState("Completed", True)


def test_a_drip_feed_order_has_runs_and_orders_but_no_charge() -> None:
    document = {"status": "Active", "runs": "3", "expiry": None, "orders": ["11", 12, None, "13"]}
    assert read_order_states(document, ["1"]).found == {
        "1": OrderState("Active", True, runs=3, suborders=("11", "12", "13"))
    }


def test_a_subscription_has_posts_and_an_expiry() -> None:
    document = {"status": "Completed", "posts": 5, "expiry": "31/12/2030", "orders": []}
    assert read_order_states(document, ["1"]).found == {
        "1": OrderState("Completed", True, posts=5, expiry="31/12/2030")
    }


def test_an_order_in_error_is_a_state_and_no_refusal() -> None:
    entry = {"status": "Error", "remains": "10", "error": "Link is private"}
    assert one_state(entry) == OrderState("Error", True, 10)


# -- refills ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "document",
    [
        {"refill": "1"},
        {"refill": 1},
        {"status": "success", "refill": 1},
        {"success": "Your order will be refilled", "refill": 1},
        [{"order": 7, "refill": 1}],
        {"order": "7", "refill": "1"},
        {"7": {"refill": 1}},
    ],
)
def test_a_refill_answers_its_id(document: object) -> None:
    assert read_refill(document, "7") == Accepted("1")


@pytest.mark.parametrize("document", [{"refill": True}, {"status": "success"}, {"success": True}])
def test_a_refill_may_be_accepted_without_an_id(document: object) -> None:
    assert read_refill(document, "7") == Accepted("")


@pytest.mark.parametrize(
    "document", [{"refill": {"error": "Refill is not available"}}, {"refill": "Refill is not available"}]
)
def test_a_refill_may_be_refused_inside_the_answer(document: object) -> None:
    with pytest.raises(Rejected) as raised:
        read_refill(document, "7")
    assert raised.value.reason is RefusalReason.REFILL_UNAVAILABLE


@pytest.mark.parametrize(
    "document",
    [{"refill": 0}, {"refill": None}, {"refill": "pending"}, {}, [], [1], {"order": 8, "refill": 1}],
)
def test_a_refill_s_answer_that_says_neither_yes_nor_no_is_unreadable(document: object) -> None:
    with pytest.raises(Unreadable):
        read_refill(document, "7")


@pytest.mark.parametrize(
    "document",
    [
        [{"order": 1, "refill": 5}, {"order": 3, "refill": {"error": "Incorrect order ID"}}],
        [{"order": "1", "refill": "5"}, {"order": "3", "error": "Incorrect order ID"}],
        [{"order": 1, "refill": 5}, {"order": 3, "refill": "Incorrect order ID"}],
        {"0": {"order": 1, "refill": 5}, "2": {"order": 3, "refill": {"error": "Incorrect order ID"}}},
        {"1": {"refill": 5}, "3": {"error": "Incorrect order ID"}},
        {"1": 5, "3": "Incorrect order ID"},
    ],
)
def test_many_refills_answer_one_by_one(document: object) -> None:
    assert read_refills(document, ["1", "2", "3"]) == Entries(
        {"1": Accepted("5"), "3": Refused("Incorrect order ID")}, ()
    )


@pytest.mark.parametrize("document", [{"status": "Completed"}, {"status": "completed", "refill": 1}])
def test_one_refill_answers_its_status(document: object) -> None:
    assert read_refill_states(document, ["1"]).found == {"1": RefillState("Completed", True)}


@pytest.mark.parametrize(
    "document",
    [
        [
            {"refill": 1, "status": "Completed"},
            {"refill": 2, "status": "In progress"},
            {"refill": 3, "status": {"error": "Refill not found"}},
        ],
        [
            {"refill": "1", "status": "completed"},
            {"refill": "2", "status": "in_progress"},
            {"refill": "3", "error": "Refill not found"},
        ],
        {"1": {"status": "Completed"}, "2": "In progress", "3": "Refill not found"},
    ],
)
def test_many_refills_answer_their_statuses(document: object) -> None:
    assert read_refill_states(document, ["1", "2", "3", "4"]) == Entries(
        {
            "1": RefillState("Completed", True),
            "2": RefillState("In progress", True),
            "3": Refused("Refill not found"),
        },
        (),
    )


# -- cancels ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "document",
    [
        [{"order": 9, "cancel": {"error": "Incorrect order ID"}}, {"order": 2, "cancel": 1}],
        [{"order": "9", "cancel": "Incorrect order ID"}, {"order": "2", "cancel": "1"}],
        [{"order": 9, "error": "Incorrect order ID"}, {"order": 2, "cancel": True}],
        {"9": {"error": "Incorrect order ID"}, "2": {"cancel": 1}},
    ],
)
def test_cancels_answer_one_by_one_with_the_error_in_or_beside(document: object) -> None:
    assert read_cancels(document, ["9", "2"]) == Entries(
        {"9": Refused("Incorrect order ID"), "2": Accepted("")}, ()
    )


def test_a_cancel_may_be_the_id_of_the_panel_s_request() -> None:
    assert read_cancels([{"order": 2, "cancel": 8841}], ["2"]).found == {"2": Accepted("8841")}


@pytest.mark.parametrize("document", [{"cancel": 1}, {"status": "success"}, [{"cancel": 1}]])
def test_one_cancel_may_be_answered_without_its_order(document: object) -> None:
    assert read_cancels(document, ["2"]).found == {"2": Accepted("")}


def test_a_cancel_with_an_error_beside_a_yes_is_unreadable() -> None:
    document = [{"order": 2, "cancel": 1, "error": "Something"}]
    assert read_cancels(document, ["2", "3"]) == Entries({}, ("2",))


def test_a_cancel_of_zero_says_nothing() -> None:
    assert read_cancels([{"order": 2, "cancel": 0}], ["2", "3"]) == Entries({}, ("2",))


# -- new orders -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "document",
    [
        {"order": 23501},
        {"order": "23501"},
        {"status": "success", "order": 23501},
        {"order": Decimal("23501.0")},
        {"order_id": 23501},
        {"order": 23501, "error": None},
        {"order": 23501, "order_id": "23501"},
    ],
)
def test_a_new_order_answers_its_id(document: object) -> None:
    assert read_new_order(document) == "23501"


def test_a_new_order_s_id_may_be_text() -> None:
    assert read_new_order({"order": "66a1f0c2-9b"}) == "66a1f0c2-9b"


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        [{"order": 1}],
        "23501",
        {"order": None},
        {"order": 0},
        {"order": -1},
        {"order": True},
        {"order": "null"},
        {"order": ""},
        {"order": "0"},
        {"order": "1 or 2"},
        {"order": "<b>5</b>"},
        {"order": {"id": 5}},
        {"order": [5]},
        {"order": Decimal("5.5")},
        {"order": "7" * 65},
        {"order": 10**70},
        {"order": 1, "order_id": 2},
        {"status": "success"},
    ],
)
def test_an_answer_without_one_clear_order_is_unreadable(document: object) -> None:
    with pytest.raises(Unreadable):
        read_new_order(document)


# -- text -------------------------------------------------------------------------------------------------
def test_text_of_a_panel_can_t_speak_to_a_terminal() -> None:
    name = "\x1b]0;title\x07\x1b[31mRed\x1b[0m\r\nfake log line\u202e\x00 \ud83d end"
    (service,) = read_catalogue([{"service": 1, "name": name}]).services
    assert service.name == "Red fake log line  \ufffd end"


def test_text_of_a_panel_is_bounded() -> None:
    (service,) = read_catalogue([{"service": 1, "name": "é" * 100_000}]).services
    assert service.name == "é" * 499 + "…"
    assert one_state({"status": "s" * 1000}) == OrderState("s" * 63 + "…", False)
