"""Many IDs asked about in requests of a hundred: one request's failure loses nobody else's answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from smm_rules.panel.answers import Refused
from smm_rules.panel.errors import NotSent, PanelError, RateLimited, RefusalReason, Rejected

Entry = TypeVar("Entry")
Fetch = Callable[[tuple[str, ...]], Awaitable[dict[str, Entry | Refused]]]
#: Beyond this many IDs some panels silently drop the rest.
LARGEST_BATCH = 100
#: After this many failed batches the others would most likely fail too.
MOST_FAILURES = 3
#: Enough further requests to find two bad IDs in one batch by halving it.
MOST_SPLITS = 28
#: Refusals that are about an ID asked for, not about the request.
ABOUT_AN_ID = frozenset({RefusalReason.INCORRECT_ORDER, RefusalReason.INCORRECT_REFILL})


@dataclass(slots=True)
class Gathered(Generic[Entry]):
    """What all batches together brought. `failed` holds the failure of each ID whose request failed."""

    found: dict[str, Entry | Refused] = field(default_factory=dict)
    failed: dict[str, PanelError] = field(default_factory=dict)

    def missing(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Those of `ids` that nothing was found for."""
        return tuple(name for name in ids if name not in self.found)


def unique(ids: Sequence[str]) -> tuple[str, ...]:
    """The IDs without repetitions, in their order."""
    return tuple(dict.fromkeys(ids))


def batches(ids: Sequence[str], size: int = LARGEST_BATCH) -> Iterator[tuple[str, ...]]:
    """The IDs in runs of at most `size`."""
    for start in range(0, len(ids), size):
        yield tuple(ids[start : start + size])


async def gather(
    ids: Sequence[str], fetch: Fetch[Entry], at_once: int, most_splits: int = MOST_SPLITS
) -> Gathered[Entry]:
    """Fetch all batches of the (unique) `ids`, `at_once` at a time.

    Some panels refuse a whole batch for one ID they don't know. Such a batch is halved until the bad ID is
    alone, by at most `most_splits` requests on top of one for each batch; what is still together when they
    are used up fails with the refusal.

    When every batch fails the first failure is raised. Once the panel as a whole is in trouble the batches
    not yet asked for fail with the same error, unasked.
    """
    gathering = _Gathering(fetch, deque(batches(ids)), most_splits)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, len(gathering.waiting))):
            group.create_task(gathering.work())
    if gathering.failures and not gathering.succeeded:
        raise gathering.failures[0]
    return gathering.gathered


@dataclass(slots=True)
class _Gathering(Generic[Entry]):
    """One gathering under way, shared by those who work on it."""

    fetch: Fetch[Entry]
    waiting: deque[tuple[str, ...]]
    splits_left: int
    gathered: Gathered[Entry] = field(default_factory=Gathered)
    failures: list[PanelError] = field(default_factory=list)
    succeeded: int = 0

    async def work(self) -> None:
        while self.waiting:
            batch = self.waiting.popleft()
            if _hopeless(self.failures):
                self.gathered.failed.update(dict.fromkeys(batch, self.failures[-1]))
                continue
            try:
                answers = await self.fetch(batch)
            except PanelError as failure:
                self._failed(batch, failure)
            else:
                self.succeeded += 1
                self.gathered.found.update(answers)

    def _failed(self, batch: tuple[str, ...], failure: PanelError) -> None:
        if _about_an_id(failure) and len(batch) > 1 and self.splits_left >= 2:
            # Before the other batches, so that the requests left narrow one batch down to its bad ID
            # and aren't spent on the first halvings of many.
            self.splits_left -= 2
            middle = len(batch) // 2
            self.waiting.extendleft((batch[middle:], batch[:middle]))
            return
        self.failures.append(failure)
        self.gathered.failed.update(dict.fromkeys(batch, failure))


def _about_an_id(failure: PanelError) -> bool:
    return isinstance(failure, Rejected) and failure.reason in ABOUT_AN_ID


def _hopeless(failures: Sequence[PanelError]) -> bool:
    # A panel that knows an ID from another is well.
    if sum(not _about_an_id(failure) for failure in failures) >= MOST_FAILURES:
        return True
    return any(
        isinstance(failure, NotSent | RateLimited)
        or (isinstance(failure, Rejected) and failure.reason is RefusalReason.INVALID_KEY)
        for failure in failures
    )
