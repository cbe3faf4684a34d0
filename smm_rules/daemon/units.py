"""What is to be done again and again, as named units: APScheduler or a queue of jobs says when and where.

The rules, the engine and the ledger's promises are the same under both. Embedded (`smm-rules run`) one
process ticks every unit itself (`daemon.jobs`); in a cluster (`smm-rules worker`) any worker takes any unit
from a queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from smm_rules.actions.executor import Unfenced
from smm_rules.actions.port import Fence
from smm_rules.polling.recent import Recent, RecentInMemory


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing to be done every so many seconds of the machine's time, and sooner when `Driver.soon` asks.

    `kind` says what it is about, `panel` is that of a look at one. No two runs of a unit go at once.
    """

    kind: str
    every: float
    run: Callable[[], Awaitable[object]]
    panel: str | None = None

    @property
    def name(self) -> str:
        """Its name among all units."""
        return self.kind if self.panel is None else f"{self.kind}:{self.panel}"


class Driver(Protocol):
    """Who runs the units."""

    def soon(self, name: str) -> None:
        """Run the unit of this name now instead of at its next time; once more if it is running already."""
        ...


class Sharing(Protocol):
    """What the looks and actions of all processes that work on one ledger have in common."""

    @property
    def fence(self) -> Fence: ...

    @property
    def turns(self) -> Callable[[str], AbstractAsyncContextManager[object]] | None:
        """Who may check and claim on a panel; None where this process acts alone."""
        ...

    def deciding(self, panel: str) -> AbstractAsyncContextManager[object]:
        """Held while a look at the panel is judged and recorded: nobody changes the rules meanwhile."""
        ...

    def recent(self, panel: str) -> Recent: ...


@dataclass(slots=True)
class Alone:
    """One process works on the ledger: a lock keeps others away."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    fence: Fence = field(default_factory=Unfenced)
    turns: Callable[[str], AbstractAsyncContextManager[object]] | None = None

    def deciding(self, panel: str) -> AbstractAsyncContextManager[object]:
        """The same for all panels: who changes the rules takes this one."""
        del panel
        return self.lock

    def recent(self, panel: str) -> Recent:
        del panel
        return RecentInMemory()
