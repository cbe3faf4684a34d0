"""The ledger for commands that only make sense once there is one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from smm_rules.cli.context import open_ledger
from smm_rules.cli.exits import Exit, Stop
from smm_rules.config.model import Configuration
from smm_rules.ledger.sql.ledger import SqlLedger


@asynccontextmanager
async def open_existing(configuration: Configuration) -> AsyncIterator[SqlLedger]:
    """The ledger; `Stop` when there is none, for looking must not make one that belongs to the wrong user."""
    if isinstance(configuration.ledger, Path) and not configuration.ledger.exists():
        raise Stop(
            f"There is no ledger {configuration.ledger} yet. "
            "The daemon makes it (smm-rules run), or the first `smm-rules orders track` or `import`.",
            Exit.LEDGER,
        )
    async with open_ledger(configuration) as ledger:
        yield ledger
