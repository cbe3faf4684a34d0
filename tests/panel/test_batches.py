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


class Particular:
    """Refuses as a whole whatever request names one of the `bad` IDs."""

    def __init__(self, bad: set[str], reason: RefusalReason = RefusalReason.INCORRECT_ORDER) -> None:
        self.bad = bad
        self.reason = reason
        self.asked: list[tuple[str, ...]] = []

    async def fetch(self, batch: tuple[str, ...]) -> dict[str, str | Refused]:
        self.asked.append(batch)
        if self.bad.isdisjoint(batch):
            return dict.fromkeys(batch, "state")
        if len(batch) == 1:
            return {batch[0]: Refused("no such ID")}
        raise Rejected("Incorrect order ID", self.reason)


@pytest.mark.parametrize("reason", [RefusalReason.INCORRECT_ORDER, RefusalReason.INCORRECT_REFILL])
@pytest.mark.parametrize("bad", ["0", "49", "50", "99"])
async def test_one_bad_id_freezes_none_of_its_batch_mates(bad: str, reason: RefusalReason) -> None:
    panel = Particular({bad}, reason)
    gathered = await gather(IDS[:200], panel.fetch, at_once=1, most_splits=20)
    assert gathered.found == {**dict.fromkeys(IDS[:200], "state"), bad: Refused("no such ID")}
    assert gathered.failed == {}
    # Both batches, and two halves for each of the at most seven halvings of a hundred.
    assert len(panel.asked) <= 2 + 2 * 7


@given(st.sets(st.sampled_from(IDS[:250])), st.integers(0, 60), st.integers(1, 4))
async def test_splitting_is_bounded_and_loses_no_id(bad: set[str], most: int, at_once: int) -> None:
    panel = Particular(bad)
    try:
        gathered = await gather(IDS[:250], panel.fetch, at_once=at_once, most_splits=most)
    except Rejected:
        assert all(not bad.isdisjoint(batch) for batch in panel.asked)
        return
    assert len(panel.asked) <= 3 + most
    assert gathered.found.keys() | gathered.failed.keys() == set(IDS[:250])
    assert gathered.found.keys().isdisjoint(gathered.failed)
    assert {name for name, found in gathered.found.items() if found != "state"} <= bad
    # Enough requests for every bad one to be found by halving: none is left behind.
    if 14 * len(bad) <= most:
        assert gathered.found.keys() == set(IDS[:250])


async def test_a_refusal_about_the_request_itself_is_not_split() -> None:
    panel = Particular({"3"}, RefusalReason.INVALID_REQUEST)
    gathered = await gather(IDS[:200], panel.fetch, at_once=1, most_splits=50)
    assert gathered.failed.keys() == set(IDS[:100])
    assert len(panel.asked) == 2


async def test_trouble_of_the_whole_panel_ends_the_splitting() -> None:
    class Failing(Particular):
        async def fetch(self, batch: tuple[str, ...]) -> dict[str, str | Refused]:
            if len(batch) == 25:
                self.asked.append(batch)
                raise RateLimited("slow down")
            return await Particular.fetch(self, batch)

    panel = Failing({"60"})
    gathered = await gather(IDS[:200], panel.fetch, at_once=1, most_splits=50)
    assert [len(batch) for batch in panel.asked] == [100, 50, 50, 25]
    assert gathered.found.keys() == set(IDS[:50])
    assert {type(error) for error in gathered.failed.values()} == {RateLimited}
    assert gathered.failed.keys() == set(IDS[50:200])


async def test_bad_ids_that_are_not_found_freeze_no_other_batch() -> None:
    panel = Particular(set(IDS[:100:7]))
    gathered = await gather(IDS, panel.fetch, at_once=1, most_splits=20)
    assert gathered.found.keys() >= set(IDS[100:])
    assert gathered.failed.keys() < set(IDS[:100])
    assert len(panel.asked) == 10 + 20
