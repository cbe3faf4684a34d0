"""The recorded observations, read in pages and handed on instant by instant."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Protocol

from smm_rules.facts import Entity
from smm_rules.ledger.records import Observation

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_PAGE = 5_000


class HistoryLedger(Protocol):
    """Where observations are kept."""

    async def history(
        self, entity: Entity | None, since: datetime, until: datetime, limit: int
    ) -> tuple[Observation, ...]: ...


async def instants(
    ledger: HistoryLedger, until: datetime, page: int = _PAGE
) -> AsyncGenerator[tuple[datetime, Sequence[Observation]], None]:
    """Every observation up to `until` in time order, those of one instant together."""
    since, limit = BEGINNING, page
    while True:
        found = await ledger.history(None, since, until, limit)
        if len(found) < limit:
            for group in _grouped(found):
                yield group
            return
        # The last instant of a page may go on in the next one.
        whole = [one for one in found if one.at < found[-1].at]
        if not whole:
            limit *= 4
            continue
        for group in _grouped(whole):
            yield group
        since, limit = found[-1].at, page


def _grouped(observations: Sequence[Observation]) -> list[tuple[datetime, list[Observation]]]:
    groups: list[tuple[datetime, list[Observation]]] = []
    for one in observations:
        if not groups or groups[-1][0] != one.at:
            groups.append((one.at, []))
        groups[-1][1].append(one)
    return groups
