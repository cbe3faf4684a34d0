"""Many IDs asked about in requests of a hundred: one request's failure loses nobody else's answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from smm_rules.panel.answers import Refused
from smm_rules.panel.errors import NotSent, PanelError, RateLimited, RefusalReason, Rejected

Entry = TypeVar("Entry")
#: Beyond this many IDs some panels silently drop the rest.
LARGEST_BATCH = 100
#: After this many failed batches the others would most likely fail too.
MOST_FAILURES = 3


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
    ids: Sequence[str],
    fetch: Callable[[tuple[str, ...]], Awaitable[dict[str, Entry | Refused]]],
    at_once: int,
) -> Gathered[Entry]:
    """Fetch all batches of the (unique) `ids`, `at_once` at a time.

    When every batch fails the first failure is raised. Once the panel as a whole is in trouble the batches
    not yet asked for fail with the same error, unasked.
    """
    gathered: Gathered[Entry] = Gathered()
    waiting = batches(ids)
    failures: list[PanelError] = []
    succeeded = 0

    async def work() -> None:
        nonlocal succeeded
        for batch in waiting:
            if _hopeless(failures):
                gathered.failed.update(dict.fromkeys(batch, failures[-1]))
                continue
            try:
                answers = await fetch(batch)
            except PanelError as failure:
                failures.append(failure)
                gathered.failed.update(dict.fromkeys(batch, failure))
            else:
                succeeded += 1
                gathered.found.update(answers)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, -(-len(ids) // LARGEST_BATCH))):
            group.create_task(work())
    if failures and not succeeded:
        raise failures[0]
    return gathered


def _hopeless(failures: Sequence[PanelError]) -> bool:
    if len(failures) >= MOST_FAILURES:
        return True
    return any(
        isinstance(failure, NotSent | RateLimited)
        or (isinstance(failure, Rejected) and failure.reason is RefusalReason.INVALID_KEY)
        for failure in failures
    )
