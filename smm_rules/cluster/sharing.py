"""What the workers of a ledger have in common, as the daemon's parts ask for it (`daemon.units.Sharing`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from smm_rules.actions.port import Fence
from smm_rules.cluster.database import Database
from smm_rules.cluster.turns import CLAIMING, DECIDING, Turn
from smm_rules.engine.firing import Firing, Occasion
from smm_rules.facts import EntityKind
from smm_rules.ledger.codec import to_micros
from smm_rules.polling.recent import Recent

_COUNTS = """
  SELECT rule, count(*) FROM firings
  WHERE at > %s AND occasion = %s AND starts_with(entity, %s) GROUP BY rule
"""


class RecentInLedger:
    """What fired of late on a panel, whichever worker judged it: counted in the ledger.

    Within the panel's turn nobody adds to it, so a limit that counts over sweeps counts over workers, too.
    """

    def __init__(self, database: Database, panel: str) -> None:
        self._database = database
        self._panel = panel

    async def counts(self, kind: EntityKind, now: datetime, round_: timedelta) -> Mapping[str, int]:
        values = (to_micros(now - round_), Occasion.FIRED.value, f"{kind.value}/{self._panel}/")
        return dict(await self._database.rows(_COUNTS, values))

    def note(self, kind: EntityKind, firings: Iterable[Firing], now: datetime) -> None:
        """They are in the ledger already."""


class Together:
    """The fence, the turns and the memory of firings of all workers."""

    def __init__(
        self,
        database: Database,
        turns: Database,
        fence: Fence,
        generation: Callable[[], int | None],
    ) -> None:
        self._database = database
        self._turns = turns
        self._fence = fence
        self._generation = generation
        self._claiming: dict[str, Turn] = {}

    @property
    def fence(self) -> Fence:
        return self._fence

    @property
    def turns(self) -> Callable[[str], AbstractAsyncContextManager[object]]:
        return self._claiming_turn

    def deciding(self, panel: str) -> AbstractAsyncContextManager[object]:
        return Turn(self._turns, DECIDING, panel, self._generation)

    def recent(self, panel: str) -> Recent:
        return RecentInLedger(self._database, panel)

    def _claiming_turn(self, panel: str) -> AbstractAsyncContextManager[object]:
        if panel not in self._claiming:
            self._claiming[panel] = Turn(self._turns, CLAIMING, panel, self._generation)
        return self._claiming[panel]
