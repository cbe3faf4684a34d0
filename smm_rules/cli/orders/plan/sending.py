"""What was planned of a plan, brought to its end: by a running daemon, or by this process."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from smm_rules.cli.orders.carrying_out import UNDER_WAY, WITHDRAWN, CarryingOut
from smm_rules.cli.terminal import errors
from smm_rules.clock import Clock
from smm_rules.daemon.recovery import recover
from smm_rules.ledger.plans import PlannedRow, RowKey
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.client import PanelClient

#: How often the ledger is asked how far the daemon is, in seconds.
LOOK_EVERY = 0.5
_COMMAND = re.compile(r"command:(\d{1,9})")
#: Claims of other commands are nobody's business here.
_NEVER = timedelta(days=36_500)

Told = Callable[[int], object]


@dataclass(slots=True)
class Sending:
    """Where and by what the rows of a plan are carried out."""

    ledger: SqlLedger
    clients: Mapping[str, PanelClient]
    clock: Clock
    voice: OperatorVoice
    keys: Sequence[RowKey]
    _given_up: set[str] = field(default_factory=set)

    async def rows(self) -> dict[RowKey, PlannedRow]:
        """The rows as the ledger has them now."""
        return await self.ledger.plan_rows(self.keys)

    async def recover(self) -> None:
        """Put in doubt what an earlier run of such a command was sending when it died on this machine.

        Nobody else would for a quarter of an hour, and until then its row would count as under way.
        """
        owners = {
            row.intent.owner
            for row in (await self.rows()).values()
            if row.intent is not None and row.intent.state is IntentState.SENDING
        }
        for owner in owners:
            if _is_gone(owner):
                await recover(self.ledger, self.voice, owner, _NEVER, self.clock.now())

    async def finish(self, patience: float | None, told: Told) -> None:
        """Carry out what is planned, or have the daemon do it; `told` hears how many rows are done.

        The daemon is waited for as long as it gets on, at most `patience` seconds without; not at all with
        None. Without a daemon what couldn't be sent now is withdrawn, so that it is known not to be bought,
        and a next run begins with it.
        """
        if await self.ledger.daemon() is not None:
            if patience is not None:
                await self._watch(patience, told)
            return
        waiting = [intent for intent in await self._under_way() if intent.state is IntentState.PLANNED]
        by_panel: defaultdict[str, list[Intent]] = defaultdict(list)
        for intent in waiting:
            by_panel[intent.panel].append(intent)
        done = len(self.keys) - len(waiting)

        def one_more() -> None:
            nonlocal done
            done += 1
            told(done)

        try:
            async with asyncio.TaskGroup() as group:
                for panel, intents in by_panel.items():
                    group.create_task(self._send(panel, intents, one_more))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _send(self, panel: str, intents: Sequence[Intent], one_more: Callable[[], None]) -> None:
        """One after the other: what a panel does to one order says whether it is given another."""
        work = CarryingOut(self.ledger, self.clients[panel], self.clock, self.voice)
        for intent in intents:
            if panel in self._given_up:
                await work.withdraw(intent)
            else:
                after = await work.finish(intent, None)
                if _is_trouble(after):
                    self._given_up.add(panel)
            one_more()

    async def _under_way(self) -> list[Intent]:
        found = [row.intent for row in (await self.rows()).values() if row.intent is not None]
        return sorted((one for one in found if one.state in UNDER_WAY), key=lambda intent: intent.id)

    async def withdraw_all(self) -> None:
        """The command ends before its time: what no daemon has must not be sent later, unasked."""
        if await self.ledger.daemon() is not None:
            return
        for intent in await self._under_way():
            if intent.state is IntentState.PLANNED:
                work = CarryingOut(self.ledger, self.clients[intent.panel], self.clock, self.voice)
                await work.withdraw(intent)

    async def _watch(self, patience: float, told: Told) -> None:
        left, changed_at = await self._under_way(), time.monotonic()
        while left and time.monotonic() - changed_at < patience:
            told(len(self.keys) - len(left))
            await asyncio.sleep(LOOK_EVERY)
            before, left = left, await self._under_way()
            if [(one.id, one.state) for one in before] != [(one.id, one.state) for one in left]:
                changed_at = time.monotonic()
        told(len(self.keys) - len(left))


def _is_trouble(after: Intent) -> bool:
    """Whether the panel, or a stop, says that nothing more should be sent to it now."""
    if after.state is IntentState.NOT_SENT:
        return after.attempts > 0 or after.reason == WITHDRAWN
    return after.state is IntentState.UNKNOWN


def _is_gone(owner: str) -> bool:
    """Whether `owner` was a command of this machine that runs no more."""
    found = _COMMAND.fullmatch(owner)
    if found is None or int(found[1]) == os.getpid():
        return False
    try:
        os.kill(int(found[1]), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it runs, as another user
    return False


@contextmanager
def progress(total: int) -> Iterator[Told]:
    """A bar on standard error where that is a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (TextColumn("placing"), BarColumn(bar_width=None), MofNCompleteColumn())
    with Progress(*columns, console=errors(), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)
