"""What one run hands on to the next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.polling.carried import Carried, read_carried
from smm_rules.polling.standing import Outage

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
names = st.text(max_size=8)
outages = st.builds(
    lambda since, failures, error: Outage(since, failures, error, since),
    st.datetimes(timezones=st.just(UTC)),
    st.integers(1, 10**6),
    st.text(max_size=30),
)


@given(
    st.dictionaries(names, names, max_size=3),
    st.dictionaries(names, st.dictionaries(names, outages, min_size=1, max_size=2), max_size=2),
)
def test_everything_comes_back_as_it_was(rules: dict[str, str], ours: dict[str, dict[str, Outage]]) -> None:
    carried = Carried(rules, {name: text * 2 for name, text in rules.items()}, ours)
    assert read_carried(carried.written()) == carried


def test_a_pause_is_not_handed_on() -> None:
    outage = Outage(T0, 5, "refused", T0 + timedelta(minutes=10))
    (read,) = read_carried(Carried(outages={"north": {"orders": outage}}).written()).outages["north"].values()
    assert read == Outage(T0, 5, "refused", T0)


@pytest.mark.parametrize(
    "detail",
    [
        {},
        {"status": "1 orders"},
        {"questions": "nonsense", "versions": "5", "outages": "{"},
        {"questions": "[]", "versions": "[]", "outages": "[1]"},
        {"questions": "null", "versions": "null", "outages": "null"},
        {"outages": '{"north": {"orders": []}}'},
        {"outages": '{"north": {"orders": ["yesterday", 1, ""]}}'},
        {"outages": '{"north": 5}'},
    ],
)
def test_what_can_not_be_read_is_left_out(detail: dict[str, str]) -> None:
    carried = read_carried(detail)
    assert (dict(carried.questions), dict(carried.versions)) == ({}, {})
    assert [dict(ours) for ours in carried.outages.values()] in ([], [{}])
