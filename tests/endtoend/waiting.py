"""Waiting for facts: asked again and again until they are true, never for longer than a bound."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

Fact = TypeVar("Fact")
#: Between two questions, in seconds.
PAUSE = 0.03
#: The longest wait in seconds: far above what a loaded machine needs, so only a fault reaches it.
PATIENCE = 60.0


class NeverCame(AssertionError):
    """The fact didn't come true."""


async def eventually(
    probe: Callable[[], Fact | Awaitable[Fact]],
    what: str = "",
    seconds: float = PATIENCE,
    describe: Callable[[], object] | None = None,
) -> Fact:
    """The first true answer of `probe`; `NeverCame` with its last answer and `describe()` after `seconds`."""
    answer: object = None
    try:
        async with asyncio.timeout(seconds):
            while True:
                answer = probe()
                if inspect.isawaitable(answer):
                    answer = await answer
                if answer:
                    return answer  # type: ignore[return-value]  # what probe gave
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        more = f"\n{describe()}" if describe is not None else ""
        raise NeverCame(f"{what or 'the fact'} never came true; last answer: {answer!r}{more}") from None
