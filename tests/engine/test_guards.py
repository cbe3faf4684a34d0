"""Limits over more than one entity."""

from __future__ import annotations

import pytest

from smm_rules.engine.guards import chain_verdict, over_sweep_limit
from smm_rules.engine.memory import Reason
from smm_rules.rules.model import NO_LIMITS, Limits


@pytest.mark.parametrize(("count", "over"), [(0, False), (50, False), (51, True)])
def test_a_sweep_over_its_limit(count: int, over: bool) -> None:
    assert over_sweep_limit(Limits(per_sweep=50), count) is over


@pytest.mark.parametrize(("fired", "verdict"), [(0, None), (1, None), (2, Reason.LIMIT_PER_CHAIN)])
def test_a_chain_that_used_up_its_firings(fired: int, verdict: Reason | None) -> None:
    assert chain_verdict(Limits(per_chain=2), fired) is verdict


def test_without_a_limit_nothing_is_too_many() -> None:
    assert over_sweep_limit(NO_LIMITS, 10**6) is False
    assert chain_verdict(NO_LIMITS, 10**6) is None
