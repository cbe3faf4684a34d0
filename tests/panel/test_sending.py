"""A request whose time to leave has passed doesn't leave, and one that left in time may be answered later."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from smm_rules.panel import sending, transport
from smm_rules.panel.client import Endpoint, PanelClient
from smm_rules.panel.errors import Ambiguous, NotSent
from smm_rules.panel.sending import (
    TooLate,
    Withheld,
    check_in_time,
    looked_at_last,
    machine_time,
    seconds_left,
    sent_before,
)
from tests.panel import fault_server as faults
from tests.panel.conftest import KEY
from tests.panel.fault_server import FaultServer, Turn

ORDER = {"service": "1"}


def endpoint(url: str, seconds: float = 20) -> Endpoint:
    return Endpoint("main", url, KEY, 1_000_000, timeout=timedelta(seconds=seconds))


async def test_what_is_too_late_never_reaches_the_panel(server: FaultServer) -> None:
    server.script(faults.answer({"order": 1}))
    async with PanelClient(endpoint(server.url)) as client:
        with sent_before(machine_time()), pytest.raises(NotSent, match="has passed"):
            await client.add(ORDER)
    assert server.seen == []


async def test_a_deadline_far_away_changes_nothing(server: FaultServer) -> None:
    server.script(faults.answer({"order": 1}))
    async with PanelClient(endpoint(server.url)) as client:
        with sent_before(machine_time() + 60):
            assert await client.add(ORDER) == "1"
        assert await client.add(ORDER) == "1"


async def test_an_answer_may_come_after_the_deadline(server: FaultServer) -> None:
    deadline_passed = asyncio.Event()

    async def late(turn: Turn) -> None:
        await deadline_passed.wait()
        await faults.answer({"order": 7})(turn)

    server.script(late)
    until = machine_time() + 0.3
    async with PanelClient(endpoint(server.url)) as client:
        with sent_before(until):
            made = asyncio.ensure_future(client.add(ORDER))
        asyncio.get_running_loop().call_later(until + 0.05 - machine_time(), deadline_passed.set)
        assert await made == "7"


@pytest.mark.parametrize(
    ("part", "error"), [("send_request_headers", NotSent), ("send_request_body", Ambiguous)]
)
async def test_time_that_passes_before_a_part_is_written_stops_it(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, part: str, error: type[Exception]
) -> None:
    """A process that is stopped in the middle of a call and wakes too late writes no more of it."""
    passed: list[str] = []
    progress = transport._Progress.__call__

    async def stopped_before(self: object, event: str, info: dict[str, object]) -> None:
        if event.endswith(f"{part}.started"):
            passed.append(event)
            monkeypatch.setattr(sending, "machine_time", lambda: machine_time() + 1000)
        await progress(self, event, info)  # type: ignore[arg-type]

    monkeypatch.setattr(transport._Progress, "__call__", stopped_before)
    server.script(faults.answer({"order": 1}))
    async with PanelClient(endpoint(server.url)) as client:
        with sent_before(machine_time() + 60), pytest.raises(error):
            await client.add(ORDER)
    assert (len(passed), server.asked("add")) == (1, 0)


def test_deadlines_nest_and_end_with_their_block() -> None:
    assert seconds_left() is None
    with sent_before(machine_time() + 100):
        with sent_before(machine_time() - 1), pytest.raises(TooLate):
            check_in_time()
        check_in_time()
    check_in_time()


async def test_a_last_look_keeps_a_request_from_leaving(server: FaultServer) -> None:
    server.script(faults.answer({"order": 1}))

    async def no() -> None:
        raise Withheld("stopped by the operator")

    async with PanelClient(endpoint(server.url)) as client:
        with looked_at_last(no), pytest.raises(NotSent, match="stopped by the operator"):
            await client.add(ORDER)
        assert server.seen == []
        assert await client.add(ORDER) == "1"


async def test_the_last_look_is_after_every_wait(server: FaultServer) -> None:
    """Once the connection stands: what comes after it is the request itself."""
    server.script(faults.answer({"order": 1}))
    looks: list[int] = []

    async def note() -> None:
        looks.append(server.connections)

    async with PanelClient(endpoint(server.url)) as client:
        with looked_at_last(note):
            await client.add(ORDER)
    assert looks == [1]


@pytest.mark.parametrize("error", [OSError("the disk is gone"), RuntimeError("a defect")])
async def test_a_last_look_that_fails_sends_nothing(server: FaultServer, error: Exception) -> None:
    server.script(faults.answer({"order": 1}))

    async def fails() -> None:
        raise error

    async with PanelClient(endpoint(server.url)) as client:
        with looked_at_last(fails), pytest.raises(NotSent, match="couldn't be told"):
            await client.add(ORDER)
    assert server.seen == []
