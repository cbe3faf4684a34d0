"""What the facts of a service say about its last change, and of services that are new."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.engine.service_facts import observe_catalogue, observe_service
from smm_rules.facts import FIELDS, EntityKind, Facts
from smm_rules.panel.answers import Service

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SERVICE = Service(
    "1", "Followers", "Default", "Social", Decimal("0.90"), 50, 10_000, True, True, False
)  # fmt: skip


def after(*rows: Service) -> Facts:
    """The facts once these were read one after the other, an hour apart."""
    facts: Facts = {}
    for hours, row in enumerate(rows):
        facts = observe_service(facts, row, T0 + hours * HOUR).facts
    return facts


def changes_of(facts: Facts) -> set[str]:
    return {name for name, value in facts.items() if name.endswith("_changed") and value is True}


def test_nothing_is_said_of_changes_before_the_first() -> None:
    facts = after(SERVICE, SERVICE)
    assert [name for name in facts if name.endswith("_changed") or name.startswith("previous_")] == []


@pytest.mark.parametrize(
    ("name", "value", "previous"),
    [
        ("rate", Decimal("1.10"), Decimal("0.90")),
        ("min", 100, 50),
        ("max", 500, 10_000),
        ("name", "Fans", "Followers"),
        ("type", "Package", "Default"),
        ("category", "Other", None),
        ("refill", False, None),
        ("cancel", False, None),
        ("dripfeed", True, None),
    ],
)
def test_a_change_is_named_with_what_was_before_it(name: str, value: object, previous: object) -> None:
    facts = after(SERVICE, replace(SERVICE, **{name: value}))  # type: ignore[arg-type]  # each its own type
    assert changes_of(facts) == {f"{name}_changed"}
    assert facts.get(f"previous_{name}") == previous
    assert facts["changed_at"] == T0 + HOUR
    flags = {field for field in FIELDS[EntityKind.SERVICE] if field.endswith("_changed")}
    assert flags <= facts.keys()


def test_the_flags_are_of_the_last_change_alone_and_what_was_before_stays_known() -> None:
    smaller = replace(SERVICE, min=10)
    facts = after(SERVICE, smaller, replace(smaller, name="Fans"))
    assert changes_of(facts) == {"name_changed"}
    assert (facts["previous_min"], facts["previous_name"]) == (50, "Followers")


def test_a_look_that_brings_nothing_new_leaves_it_all() -> None:
    dearer = replace(SERVICE, rate=Decimal("1.80"))
    before = after(SERVICE, dearer)
    again = observe_service(before, dearer, T0 + 9 * HOUR)
    assert (again.changed, again.facts) == (False, before)


@pytest.mark.parametrize(("said", "changed"), [(50, False), (60, True)])
def test_what_was_left_unsaid_in_between_is_compared_with_the_last_one_said(said: int, changed: bool) -> None:
    facts = after(SERVICE, replace(SERVICE, min=None), replace(SERVICE, min=said))
    assert (facts["min_changed"], facts["previous_min"]) == (changed, 50)


def test_leaving_something_unsaid_is_no_change_of_it() -> None:
    assert changes_of(after(SERVICE, replace(SERVICE, refill=None, min=None))) == set()


def test_what_went_and_came_back() -> None:
    other = replace(SERVICE, id="2")
    known = {name: seen.facts for name, seen in observe_catalogue({}, [SERVICE, other], T0).items()}
    gone = observe_catalogue(known, [other], T0 + HOUR)["1"].facts
    assert (gone["gone"], gone["came_back"]) == (True, False)
    dearer = replace(SERVICE, rate=Decimal("1.80"))
    back = observe_catalogue({**known, "1": gone}, [dearer, other], T0 + 2 * HOUR)["1"].facts
    assert (back["gone"], back["came_back"]) == (False, True)
    assert changes_of(back) == {"rate_changed"}


def test_only_what_joins_a_catalogue_read_before_is_new() -> None:
    first = {name: seen.facts for name, seen in observe_catalogue({}, [SERVICE], T0).items()}
    assert "listed_at" not in first["1"]
    second = observe_catalogue(first, [SERVICE, replace(SERVICE, id="2")], T0 + HOUR)
    assert "listed_at" not in second["1"].facts
    assert second["2"].facts["listed_at"] == T0 + HOUR
    moved = observe_service(second["2"].facts, replace(SERVICE, id="2", min=1), T0 + 2 * HOUR)
    assert moved.facts["listed_at"] == T0 + HOUR


def test_a_ledger_of_an_older_version_finds_no_changes_where_there_are_none() -> None:
    """It has no flags and no `listed_at`; a catalogue that says the same must not date them anew."""
    old: Facts = {
        "id": "1", "name": "Followers", "type": "Default", "category": "Social", "rate": Decimal("0.90"),
        "min": 50, "max": 10_000, "refill": True, "cancel": True, "dripfeed": False, "gone": False,
        "previous_rate": Decimal("0.80"), "rate_increase": Decimal("0.125"), "changed_at": T0,
    }  # fmt: skip
    seen = observe_catalogue({"1": old}, [SERVICE], T0 + HOUR)["1"]
    assert (seen.changed, seen.facts) == (False, old)


rows = st.builds(
    Service,
    id=st.just("1"),
    name=st.sampled_from(["A", "B"]),
    type=st.sampled_from(["Default", "Package"]),
    category=st.just("C"),
    rate=st.sampled_from([None, Decimal(0), Decimal(1), Decimal(2)]),
    min=st.sampled_from([None, 1, 2]),
    max=st.sampled_from([None, 10]),
    refill=st.sampled_from([None, True, False]),
    cancel=st.none(),
    dripfeed=st.none(),
)


@given(st.lists(rows, min_size=1, max_size=8))
def test_what_is_said_to_have_changed_last_is_known_now_and_from_before(said: list[Service]) -> None:
    """`rules.analysis.world` counts on it."""
    facts = after(*said)
    for name in ("rate", "min", "max", "name", "type"):
        if facts.get(f"{name}_changed") is True:
            assert facts[name] != facts[f"previous_{name}"]
