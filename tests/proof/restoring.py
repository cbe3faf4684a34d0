"""An operator who makes backups, and puts an older one back between two lives of the daemon.

What was done since the backup is lost to the ledger, not to the panel. From then on nothing may act until the
operator has compared the two and confirmed the hold.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from smm_rules.engine.memory import Reason
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Intent
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.sqlite.copies import restore
from tests.proof.household import PANEL

if TYPE_CHECKING:
    from tests.proof.world import World

_BY = "operator"
_COMPANIONS = ("-wal", "-shm", "-journal")


class Restoring:
    """The backups of one world, and what becomes of them."""

    def __init__(self, world: World, chance: Random) -> None:
        self._world = world
        self._chance = chance
        self.backup_path = world.directory / "backup.db"
        self._kept = False
        self._confirmed_before = 0

    # -- beside a running daemon --------------------------------------------------------------------------
    async def back_up(self, ledger: SqliteLedger) -> None:
        """Make a backup now and then, in the place of the one before."""
        world = self._world
        if not world.troubled("restore") or self._chance.random() > 0.15:
            return
        await ledger.backup(self.backup_path, _BY, world.timeline.wall())
        self._kept, self._confirmed_before = True, world.counts["holds confirmed"]
        world.counts["backups"] += 1

    async def look_after_hold(self, ledger: SqliteLedger) -> None:
        """Make good what was forgotten, and let rules act again once every order was looked at."""
        world = self._world
        if await ledger.open_hold() is None:
            return
        await self._track_forgotten(ledger)
        if await ledger.unseen([PANEL]):
            return
        now = world.timeline.wall()
        await ledger.confirm_hold(now, _BY, now)
        world.counts["holds confirmed"] += 1
        world.judge.hold_confirmed(now)

    async def _track_forgotten(self, ledger: SqliteLedger) -> None:
        """Every order that the panel shows and the ledger doesn't know is imported like a customer's."""
        world = self._world
        missing = [
            number
            for number in world.panel.known_orders()
            if number not in world.to_import
            and await ledger.order(Entity(EntityKind.ORDER, PANEL, number)) is None
        ]
        world.counts["forgotten orders found"] += len(missing)
        world.to_import += missing

    def was_done(self, intent: Intent) -> bool:
        """Whether the panel shows that the run that was lost did what this asks for."""
        return self._world.judge.was_lost(intent.id, intent.rule, intent.entity.id)

    def concerns(self, intent: Intent) -> bool:
        """Whether it waits because the ledger was put back."""
        return intent.reason == Reason.RESTORED

    # -- between two lives ----------------------------------------------------------------------------------
    def perhaps(self) -> None:
        """Put the backup back, by the command or by hand; not while a paid request may yet arrive."""
        world = self._world
        due = world.troubled("restore") and self._kept and self._chance.random() < 0.2
        if not due or world.network.paid_under_way():
            return
        world.judge.before_restore()
        with world.quiet_disk():
            if self._chance.random() < 0.5:
                self._by_command()
            else:
                self._by_hand()
        world.disk.files.clear()  # what is there now is on the platter
        world.counts["restores"] += 1
        world.note("restore", world.counts["restores"])
        confirmed = world.counts["holds confirmed"]
        world.judge.after_restore(older_than_confirmed=confirmed > self._confirmed_before)

    def _by_command(self) -> None:
        world = self._world
        try:
            done = restore(self.backup_path, world.ledger_path, _BY, world.timeline.wall())
        except LedgerError as error:
            world.fail(f"a backup couldn't be put back: {error}")
            return
        if done.kept is not None:
            for name in ("", *_COMPANIONS):
                Path(f"{done.kept}{name}").unlink(missing_ok=True)

    def _by_hand(self) -> None:
        """As by `cp`: nothing but the stamp can tell."""
        for name in _COMPANIONS:
            Path(f"{self._world.ledger_path}{name}").unlink(missing_ok=True)
        shutil.copyfile(self.backup_path, self._world.ledger_path)
