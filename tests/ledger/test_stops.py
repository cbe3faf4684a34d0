"""Which stops are in force, and what they concern."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from smm_rules.ledger.holds import HoldReason
from smm_rules.ledger.stops import Stop, StopKind, StopScope, concerning, paused_rules
from tests.ledger.builders import DAY, T0

SECOND = timedelta(seconds=1)
PAUSE = Stop(1, StopKind.PAUSE, StopScope.RULE, "top-up", "a look", "ann", T0)
PANIC = replace(PAUSE, id=2, kind=StopKind.PANIC, scope=StopScope.ALL, name="")
BREAKER = replace(PAUSE, id=3, kind=StopKind.BREAKER, scope=StopScope.PANEL, name="north")
SWEEP = replace(PAUSE, id=4, kind=StopKind.SWEEP)


def test_a_stop_that_was_ended_is_over_whatever_it_is() -> None:
    for stop in (PAUSE, PANIC, BREAKER, SWEEP):
        assert stop.active(T0 - DAY) is True
        assert replace(stop, ended_at=T0, ended_by="ann").active(T0 - DAY) is False


def test_only_a_pause_is_over_by_time_alone() -> None:
    assert replace(PAUSE, until=T0).active(T0 - SECOND) is True
    assert replace(PAUSE, until=T0).active(T0) is False
    for stop in (PANIC, BREAKER, SWEEP):
        assert replace(stop, until=T0).active(T0 + DAY) is True


@pytest.mark.parametrize(
    ("stop", "concerned"),
    [(PAUSE, [True, True, False]), (BREAKER, [True, False, True]), (PANIC, [True, True, True])],
)
def test_a_stop_concerns_its_rule_its_panel_or_all(stop: Stop, concerned: list[bool]) -> None:
    actions = (("top-up", "north"), ("top-up", "south"), ("other", "north"))
    assert [stop.concerns(rule, panel) for rule, panel in actions] == concerned


def test_what_an_approval_cannot_pass_comes_first() -> None:
    ended = replace(PANIC, ended_at=T0)
    elsewhere = replace(PAUSE, id=5, name="other")
    found = concerning((SWEEP, ended, BREAKER, elsewhere, PAUSE, PANIC), "top-up", "north", T0)
    assert found == (PAUSE, PANIC, SWEEP, BREAKER)
    assert concerning((SWEEP,), "other", "north", T0) == ()


def test_paused_rules_are_those_that_a_pause_in_force_names() -> None:
    over = replace(PAUSE, name="over", until=T0)
    panel = replace(PAUSE, scope=StopScope.PANEL, name="north")
    still = replace(PAUSE, name="still", until=T0 + SECOND)
    assert paused_rules((PAUSE, PANIC, BREAKER, SWEEP, over, panel, still), T0) == {"top-up", "still"}


def test_every_reason_to_hold_a_ledger_is_said_in_a_sentence_of_its_own() -> None:
    sentences = [reason.sentence for reason in HoldReason]
    assert len(set(sentences)) == len(HoldReason)
    assert [sentence for sentence in sentences if not sentence.endswith(".")] == []
