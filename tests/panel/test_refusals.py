"""What panels' words of refusal mean."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.panel.errors import RefusalReason
from smm_rules.panel.refusals import is_plain_refusal, refusal_reason, says_too_many_requests
from smm_rules.panel.replies import error_words

R = RefusalReason
WORDS = {
    R.NOT_ENOUGH_FUNDS: [
        "Not enough funds on balance",
        "neworder.error.not_enough_funds",
        "Insufficient balance",
        "insufficient funds!",
        "Your balance is too low",
        "Yetersiz bakiye",
    ],
    R.INCORRECT_ORDER: [
        "Incorrect order ID",
        "Order not found",
        "Invalid order",
        "order_id is invalid",
        "No such order",
    ],
    R.INCORRECT_REFILL: ["Refill not found", "Incorrect refill ID", "refill_not_found"],
    R.INCORRECT_SERVICE: [
        "Incorrect service ID",
        "Service not found",
        "Invalid service",
        "Service is disabled",
        "neworder.error.incorrect_service_id",
    ],
    R.INCORRECT_LINK: [
        "Incorrect link",
        "Bad link format",
        "Invalid URL",
        "Link is required",
        "link_incorrect",
    ],
    R.INCORRECT_QUANTITY: [
        "Quantity less than minimal 100",
        "Quantity more than maximum 1000",
        "Incorrect quantity",
        "Minimum order is 50",
        "neworder.error.min_quantity",
        "Invalid order quantity",
    ],
    R.INVALID_KEY: [
        "Invalid API key",
        "Incorrect api_key",
        "API key is invalid",
        "Unauthorized",
        "User inactive",
    ],
    R.INVALID_REQUEST: ["Incorrect request", "Invalid action", "Bad request", "Method not allowed"],
    R.REFILL_UNAVAILABLE: [
        "Refill is not available",
        "Order not eligible for refill.",
        "This order can't be refilled",
        "Refill disabled for this service",
        "Refill period has expired after 30 days",
        "No refill for orders older than 30 days",
    ],
    R.REFILL_TOO_EARLY: [
        "Refill already requested",
        "Refill already in progress",
        "Refill will be available in 22 hours",
        "You can ask for a refill after 24 hours",
        "Please wait before the next refill",
        "Too early for refill",
    ],
    R.CANCEL_UNAVAILABLE: [
        "Cancel is not available",
        "Order cannot be canceled",
        "This order can't be cancelled",
        "Order already canceled",
        "Cancellation is disabled",
    ],
    R.DUPLICATE_ORDER: [
        "You have active order with this link. Please wait until order being completed.",
        "neworder.error.link_duplicate",
        "Duplicate order",
        "You already have an active order",
    ],
    R.UNRECOGNISED: [
        "",
        "Something went wrong",
        "Maintenance",
        "Error 7",
        "Internal Server Error",
        "SQLSTATE[23000]",
    ],
}


@pytest.mark.parametrize(
    ("words", "reason"), [(words, reason) for reason, many in WORDS.items() for words in many]
)
def test_the_reason_of_a_refusal(words: str, reason: RefusalReason) -> None:
    assert refusal_reason(words) is reason
    assert not says_too_many_requests(words)


@pytest.mark.parametrize(
    "words",
    [
        "Not enough funds on balance",
        "neworder.error.not_enough_funds",
        "Error: Incorrect order ID",
        "Invalid API key",
        "Order not found",
        "You have active order with this link",
        "Refill is not available",
    ],
)
def test_a_plain_refusal_says_so_from_its_first_word(words: str) -> None:
    assert is_plain_refusal(words)


@pytest.mark.parametrize(
    "words",
    [
        "Order 7 was placed but the provider has insufficient funds",
        "SQLSTATE[23000]: Duplicate order",
        "Exception in send(): invalid request to provider",
        "Undefined index: api key invalid",
        "",
    ],
)
def test_a_crash_that_mentions_known_words_is_no_plain_refusal(words: str) -> None:
    assert not is_plain_refusal(words)


@pytest.mark.parametrize(
    "words",
    [
        "Rate limit exceeded",
        "Too many requests",
        "rate_limit_exceeded",
        "API limit reached",
        "Requests too often",
    ],
)
def test_the_words_of_a_rate_limit(words: str) -> None:
    assert says_too_many_requests(words)


@given(st.text(st.characters(), max_size=500))
def test_any_words_have_a_reason(words: str) -> None:
    assert refusal_reason(words) in RefusalReason
    assert not (is_plain_refusal(words) and refusal_reason(words) is R.UNRECOGNISED)


@pytest.mark.parametrize(
    ("success", "refused"),
    [
        (False, True),
        (0, True),
        ("false", True),
        ("0", True),
        (Decimal("0.0"), True),
        (True, False),
        (1, False),
        ("yes", False),
        (None, False),
        ([], False),
        (Decimal("sNaN"), False),
    ],
)
def test_what_says_that_there_was_no_success(success: object, refused: bool) -> None:
    assert (error_words({"success": success, "message": "no"}) == "no") is refused
