"""Many IDs in requests of a hundred."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.panel.answers import Refused
from smm_rules.panel.batches import batches, gather, unique
from smm_rules.panel.errors import Ambiguous, NotSent, PanelError, RateLimited, RefusalReason, Rejected

IDS = tuple(str(number) for number in range(1000))


@given(st.lists(st.text(), max_size=500), st.integers(min_value=1, max_value=100))
def test_batches_hold_every_id_once_and_in_order(ids: list[str], size: int) -> None:
    runs = list(batches(unique(ids), size))
    assert [name for run in runs for name in run] == list(dict.fromkeys(ids))
    assert all(0 < len(run) <= size for run in runs)


class Panel:
    """Answers every batch but those that fail."""

    def __init__(self, failures: dict[int, PanelError]) -> None:
        self.failures = failures
        self.asked = 0

    async def fetch(self, batch: tuple[str, ...]) -> dict[str, str | Refused]:
        self.asked += 1
        if (failure := self.failures.get(int(batch[0]) // 100)) is not None:
            raise failure
        return dict.fromkeys(batch, "state")


@pytest.mark.parametrize(
    "failure", [NotSent("x"), RateLimited("x"), Rejected("x", RefusalReason.INVALID_KEY)]
)
async def test_trouble_of_the_whole_panel_stops_the_batches_not_yet_asked(failure: PanelError) -> None:
    panel = Panel({2: failure})
    gathered = await gather(IDS, panel.fetch, at_once=1)
    assert panel.asked == 3
    assert gathered.found.keys() == set(IDS[:200])
    assert gathered.failed == dict.fromkeys(IDS[200:], failure)
    assert gathered.missing(IDS) == IDS[200:]


async def test_trouble_of_one_batch_stops_no_other() -> None:
    panel = Panel({2: Ambiguous("x"), 5: Rejected("x")})
    gathered = await gather(IDS, panel.fetch, at_once=1)
    assert panel.asked == 10
    assert gathered.failed.keys() == {*IDS[200:300], *IDS[500:600]}


async def test_after_three_failures_the_panel_is_left_alone() -> None:
    panel = Panel({number: Ambiguous(str(number)) for number in range(1, 10)})
    gathered = await gather(IDS, panel.fetch, at_once=1)
    assert panel.asked == 4
    assert len(gathered.failed) == 900


async def test_the_first_failure_is_raised_when_every_batch_failed() -> None:
    panel = Panel({number: Ambiguous(str(number)) for number in range(10)})
    with pytest.raises(Ambiguous, match=r"^0$"):
        await gather(IDS, panel.fetch, at_once=1)
    assert panel.asked == 3
