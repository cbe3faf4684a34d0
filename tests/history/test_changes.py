"""What changed of services, taken together and one by one, and in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.history.changes import Difference, Event, ServiceChange, each, natural, together
from smm_rules.history.words import difference_in_words, differences_in_words, percent
from smm_rules.ledger.figures import KeptChange

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SERVICE = Entity(EntityKind.SERVICE, "north", "1")
FACTS: Facts = {"name": "Likes", "rate": Decimal("1.00"), "min": 10, "gone": False}


def kept(*states: Facts, new: bool = False, service: Entity = SERVICE) -> list[KeptChange]:
    """The changes from each state to the next, the newest first."""
    begun = [KeptChange(service, T0, None, states[0], True)] if new else []
    moved = [
        KeptChange(service, T0 + (number + 1) * HOUR, before, after, False)
        for number, (before, after) in enumerate(pairwise(states))
    ]
    return list(reversed(begun + moved))


def events(changes: tuple[ServiceChange, ...]) -> list[tuple[str, str]]:
    return [(change.service.id, change.event.value) for change in changes]


GONE = FACTS | {"gone": True}
DEARER = FACTS | {"rate": Decimal("1.20")}


@pytest.mark.parametrize(
    ("changes", "event", "differing"),
    [
        (kept(FACTS, DEARER), Event.CHANGED, ["rate"]),
        (kept(FACTS, GONE), Event.GONE, []),
        (kept(GONE, FACTS), Event.BACK, []),
        (kept(GONE, DEARER), Event.BACK, ["rate"]),
        (kept(FACTS, new=True), Event.NEW, []),
        (kept(FACTS, DEARER, new=True), Event.NEW, []),
        (kept(FACTS, GONE, new=True), Event.PASSED, []),
        (kept(FACTS, DEARER, DEARER | {"gone": True}), Event.GONE, ["rate"]),
        (kept(FACTS, GONE, DEARER), Event.CHANGED, ["rate"]),
    ],
)
def test_all_changes_of_a_service_come_to_one(
    changes: list[KeptChange], event: Event, differing: list[str]
) -> None:
    [found] = together(changes)
    assert (found.event, [one.name for one in found.differences]) == (event, differing)
    assert (found.at, found.times) == (changes[0].at, len(changes))


@pytest.mark.parametrize("states", [(FACTS, DEARER, FACTS), (FACTS, GONE, FACTS)])
def test_what_is_again_as_it_was_is_told_one_by_one_alone(states: tuple[Facts, ...]) -> None:
    assert together(kept(*states)) == ()
    assert len(each(kept(*states))) == 2


def test_one_by_one_keeps_the_order_given() -> None:
    assert events(each(kept(FACTS, DEARER, GONE))) == [("1", "gone"), ("1", "changed")]


def test_they_stand_by_panel_then_event_then_number() -> None:
    def of(number: str, panel: str, *states: Facts) -> list[KeptChange]:
        return kept(*states, service=Entity(EntityKind.SERVICE, panel, number))

    changes = [
        *of("10", "north", FACTS, DEARER), *of("9", "north", FACTS, DEARER), *of("2", "north", FACTS, GONE),
        *of("1", "east", FACTS, DEARER),
    ]  # fmt: skip
    found = [f"{change.service.panel}/{change.service.id}" for change in together(changes)]
    assert found == ["east/1", "north/2", "north/9", "north/10"]
    assert sorted(["b", "10", "9", "a1"], key=natural) == ["9", "10", "a1", "b"]


def test_a_change_whose_before_is_not_kept_is_told_as_far_as_the_facts_remember() -> None:
    after = DEARER | {"rate_changed": True, "previous_rate": Decimal("1.00"), "min_changed": False}
    [found] = together([KeptChange(SERVICE, T0, None, after, False)])
    assert found.differences == (Difference("rate", Decimal("1.00"), Decimal("1.20")),)
    [dark] = together([KeptChange(SERVICE, T0, None, DEARER, False)])
    assert differences_in_words(dark, "USD") == ("what it was before isn't kept any more",)


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (Difference("rate", Decimal("1.00"), Decimal("1.20")), "rate 1.00 → 1.20 USD (+20 %)"),
        (Difference("rate", Decimal("1.20"), Decimal("0.90")), "rate 1.20 → 0.90 USD (-25 %)"),
        (Difference("rate", Decimal(0), Decimal("0.90")), "rate 0 → 0.90 USD"),
        (Difference("rate", Decimal(1), None), "rate 1 → not said"),
        (Difference("min", 10, 100), "min 10 → 100"),
        (Difference("refill", True, False), "refill no longer"),
        (Difference("cancel", None, True), "cancel now"),
        (Difference("dripfeed", False, True), "drip-feed now"),
        (Difference("refill", True, None), "refill True → not said"),
        (Difference("name", "A", "B"), "name A → B"),
    ],
)
def test_differences_in_words(difference: Difference, words: str) -> None:
    assert difference_in_words(difference, "USD") == words


@pytest.mark.parametrize(
    ("share", "words"),
    [("0.2", "+20 %"), ("-0.025", "-2.5 %"), ("0.0004", "+0.04 %"), ("0", "+0 %"), ("12", "+1200 %")],
)
def test_shares_in_words(share: str, words: str) -> None:
    assert percent(Decimal(share)) == words


STATES = st.lists(
    st.builds(
        lambda rate, gone: FACTS | {"rate": Decimal(rate), "gone": gone}, st.integers(1, 3), st.booleans()
    ),
    min_size=2,
    max_size=8,
)


@given(STATES)
def test_taken_together_it_is_the_difference_of_first_and_last(states: list[Facts]) -> None:
    found = together(kept(*states))
    direct = together([KeptChange(SERVICE, T0, states[0], states[-1], False)])
    assert [(one.event, one.differences) for one in found] == [(one.event, one.differences) for one in direct]
