"""A process that is a daemon as far as other commands can tell: it holds the lock, and maybe does its work.

    python -m tests.cli.daemon_like LEDGER URL KEY work|idle

Says `ready` once it holds the lock, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from smm_rules.actions import Executor
from smm_rules.clock import SystemClock
from smm_rules.engine.service_facts import observe_catalogue
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.records import Observed, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.client import Endpoint, PanelClient

OWNER = "daemon:like"
_TICK_SECONDS = 0.02


async def main(path: Path, url: str, key: str, work: bool) -> None:
    clock = SystemClock()
    with DaemonLock(path):
        async with (
            await SqliteLedger.open(path) as ledger,
            PanelClient(Endpoint("north", url, key, requests_per_minute=6000)) as client,
        ):
            now = clock.now()
            seen = observe_catalogue({}, await client.services(), now)
            services = [
                Observed(Entity(EntityKind.SERVICE, "north", name), item.facts, item.changed, None)
                for name, item in seen.items()
            ]
            await ledger.record(Sweep(now, tuple(services)))
            executor = Executor(ledger, {"north": client}, OWNER, clock, OperatorVoice(ledger, None))
            ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
            print("ready", flush=True)
            while not ended.done():
                if work:
                    await executor.run_due(clock.now())
                await asyncio.wait((ended,), timeout=_TICK_SECONDS)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] == "work"))
