"""How long a panel asks to be left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.panel.errors import Ambiguous, NotSent, RateLimited, Rejected, Unreadable
from smm_rules.panel.retrying import RetryPolicy
from smm_rules.panel.waits import LONGEST_WAIT, asked_wait

NOW = datetime(2026, 10, 21, 7, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "9" * 12}, LONGEST_WAIT.total_seconds()),
        ({"retry-after": "Wed, 21 Oct 2026 07:29:00 GMT"}, 60),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT"}, 0),
        ({"retry-after": "Wed, 21 Oct 2026 07:29:00 GMT", "date": "Wed, 21 Oct 2026 07:28:50 GMT"}, 10),
        ({"retry-after": "Wed, 99 Oct 2026 07:29:00 GMT"}, None),
        ({"retry-after": "soon", "ratelimit-reset": "30"}, 30),
        ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 45)}, 45),
        ({"ratelimit": "limit=60, remaining=0, reset=12"}, 12),
        ({"ratelimit": '"default";r=0;t=33'}, 33),
        ({"ratelimit": "limit=60"}, None),
    ],
)
def test_the_wait_a_panel_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert asked_wait(headers, NOW) == expected


@given(st.dictionaries(st.sampled_from(["retry-after", "date", "ratelimit", "ratelimit-reset"]), st.text()))
def test_any_headers_are_read(headers: dict[str, str]) -> None:
    wait = asked_wait(headers, NOW)
    assert wait is None or timedelta(0) <= wait <= LONGEST_WAIT


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NotSent("x"), True),
        (Ambiguous("x"), True),
        (Unreadable("x"), True),
        (Rejected("x"), False),
        (RateLimited("x"), timedelta(seconds=15)),
        (RateLimited("x", timedelta(seconds=30)), timedelta(seconds=30)),
        (RateLimited("x", timedelta(seconds=61)), False),
        (KeyError("x"), False),
    ],
)
def test_what_a_read_is_repeated_after(error: Exception, expected: bool | timedelta) -> None:
    assert RetryPolicy().wait_after(error) == expected


def test_a_pause_is_what_was_asked_for_but_bounded() -> None:
    policy = RetryPolicy()
    assert policy.pause_after(RateLimited("x", timedelta(seconds=5))) == timedelta(seconds=5)
    assert policy.pause_after(RateLimited("x", timedelta(hours=5))) == timedelta(seconds=60)
    assert policy.pause_after(RateLimited("x")) == timedelta(0)
