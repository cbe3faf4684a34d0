"""A server's crash that speaks of a rate limit is no rate limit: the panel may have acted."""

from __future__ import annotations

import json

import pytest

from smm_rules.panel.errors import Ambiguous, RateLimited
from smm_rules.panel.replies import Reply, judge

CRASH = "Order saved, but the provider answered: too many requests"


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_crash_that_mentions_a_rate_limit_leaves_a_paid_call_in_doubt(status: int) -> None:
    with pytest.raises(Ambiguous):
        judge(Reply(status, json.dumps({"error": CRASH})), ("order", "order_id"))


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize(
    "words",
    [
        "Rate limit exceeded",
        "Too many requests, slow down",
        "You have exceeded the rate limit",
        "Error: request limit reached",
        "Please slow down",
    ],
)
def test_a_rate_limit_from_its_first_word_on_is_one_whatever_the_status(status: int, words: str) -> None:
    with pytest.raises(RateLimited):
        judge(Reply(status, json.dumps({"error": words})), ("order", "order_id"))
