"""Word to systemd, heard on a real socket."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from smm_rules.simulator import Fault
from tests.daemon.household import NO_RULES, REFILL, Household, eventually


@dataclass
class Supervisor:
    """Hears what the daemon says."""

    heard: list[str] = field(default_factory=list)

    def said(self, what: str) -> bool:
        return any(word.startswith(what) for word in self.heard)

    def count(self, what: str) -> int:
        return sum(word.startswith(what) for word in self.heard)

    @property
    def turns(self) -> list[str]:
        """The states, without time stamps and what is said between them."""
        first = [word.partition("\n")[0] for word in self.heard]
        return [word for word in first if word in ("READY=1", "RELOADING=1", "STOPPING=1")]


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._supervisor.heard.append(data.decode())


@asynccontextmanager
async def supervised(household: Household) -> AsyncIterator[Supervisor]:
    address = str(household.directory / "notify")
    household.environment |= {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "100000"}
    supervisor = Supervisor()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    bound.setblocking(False)
    bound.bind(address)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Ear(supervisor), sock=bound)
    try:
        yield supervisor
    finally:
        transport.close()


async def test_ready_watchdog_reload_and_stop_are_said_in_order(household: Household) -> None:
    async with supervised(household) as supervisor:
        async with household.living() as daemon:
            await eventually(lambda: supervisor.said("WATCHDOG=1"))
            household.write_rules(REFILL)
            daemon.reload()
            await eventually(lambda: supervisor.count("READY=1") == 2)
            household.write_rules("rules: nonsense\n")
            daemon.reload()
            await eventually(lambda: supervisor.count("READY=1") == 3)
        await eventually(lambda: supervisor.said("STOPPING=1"))
    assert supervisor.turns == ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    ready = [word for word in supervisor.heard if word.startswith("READY=1")]
    assert ready == [
        "READY=1\nSTATUS=Watching 1 panels by 1 rules",
        "READY=1\nSTATUS=Running 1 rules (gone: never; new: top-up)",
        "READY=1\nSTATUS=Reload refused; running the 1 rules from before",
    ]
    reloading = [word for word in supervisor.heard if word.startswith("RELOADING=1")]
    assert all(re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", word) for word in reloading)
    assert "STATUS=0 orders, 0 due, 0 actions in doubt" in supervisor.heard


async def test_the_watchdog_is_fed_again_and_again(household: Household) -> None:
    async with supervised(household) as supervisor, household.living():
        await eventually(lambda: supervisor.count("WATCHDOG=1") >= 3)


async def test_a_stuck_job_starves_the_watchdog(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smm_rules.daemon.daemon.PATIENCE_SECONDS", 0.5)
    household.write_rules(NO_RULES)
    household.panel.faults.always("services", Fault.HANG_BEFORE_EFFECT)
    async with supervised(household) as supervisor, household.living() as daemon:
        stuck = "STATUS=Stuck: catalogue:north"
        await eventually(lambda: supervisor.count(stuck) >= 3)
        fed = supervisor.count("WATCHDOG=1")
        at = supervisor.count(stuck)
        await eventually(lambda: supervisor.count(stuck) >= at + 2)
        assert supervisor.count("WATCHDOG=1") == fed
        assert daemon.counters.value("watchdog_withheld") >= at
