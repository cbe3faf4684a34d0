"""Waits for events and for tasks, bounded, with nothing left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any


async def either(*events: asyncio.Event, seconds: float | None = None) -> None:
    """Wait until one of the events is set, or for so long."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def ended(tasks: Iterable[asyncio.Task[Any]], seconds: float) -> bool:
    """Wait for tasks, cancel those that take longer; whether all ended by themselves."""
    under_way = {task for task in tasks if not task.done()}
    if not under_way:
        return True
    _, late = await asyncio.wait(under_way, timeout=seconds)
    for task in late:
        task.cancel()
    if late:
        await asyncio.wait(late)
    return not late
