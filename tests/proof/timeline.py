"""Simulated time: an event loop in which nothing waits, and the moment at which a process dies.

One `Timeline` outlives every process of a simulation: what is under way on the network or at the panel
happens whether or not the daemon that asked for it still lives. Each life of the daemon has a `VirtualLoop`
of its own. When nothing is ready, the loop's selector moves the time on to the next thing that happens, and
doesn't wait.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import selectors
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.proof.trace import Trace

#: The first instant of every simulation.
EPOCH = datetime(2030, 1, 1, tzinfo=UTC)


class Crash(SystemExit):
    """The process ends here and now. asyncio lets a SystemExit out of the loop and catches all others."""


class NothingLeft(Exception):
    """Everything waits for something that will never happen."""


@dataclass
class Timeline:
    """Seconds since the simulation began, and what will happen. `skew` is the machine clock's error."""

    trace: Trace
    seconds: float = 0.0
    skew: float = 0.0
    #: How often a loop came to rest; a crash may be due at a count.
    rests: int = 0
    crash_at_rest: int | None = None
    dying: bool = False
    #: Hears of a death at once: nothing may be written between it and the loop's end.
    on_death: Callable[[], None] = lambda: None
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    def wall(self) -> datetime:
        """What the machine's clock shows."""
        return EPOCH + timedelta(seconds=self.seconds + self.skew)

    def instant(self) -> datetime:
        """What the time truly is: the panel's."""
        return EPOCH + timedelta(seconds=self.seconds)

    def at(self, seconds: float, happen: Callable[[], None]) -> None:
        """Let `happen` be called at an instant, whichever process lives then."""
        heapq.heappush(self._events, (max(seconds, self.seconds), next(self._numbers), happen))

    def after(self, seconds: float, happen: Callable[[], None]) -> None:
        self.at(self.seconds + seconds, happen)

    def rest(self, timeout: float | None) -> None:
        """Move on by at most `timeout` seconds, to the next thing that happens."""
        self.rests += 1
        if self.dying or self.rests == self.crash_at_rest:
            raise Crash
        until = float("inf") if timeout is None else self.seconds + timeout
        if self._events and self._events[0][0] <= until:
            at, _, happen = heapq.heappop(self._events)
            self.seconds = max(self.seconds, at)
            happen()
            if self.dying:
                raise Crash
        elif timeout is None:
            raise NothingLeft
        else:
            self.seconds = until

    def die(self) -> None:
        """Kill the living process at once."""
        if not self.dying:
            self.dying = True
            self.on_death()


class _Selector(selectors.BaseSelector):
    """Watches no file: the network and the disk are simulated, too."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._keys: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        self._keys[number] = selectors.SelectorKey(fileobj, number, events, data)
        return self._keys[number]

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys[fileobj if isinstance(fileobj, int) else fileobj.fileno()]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._timeline.rest(timeout)
        return []


@dataclass
class Slowness:
    """How long work on the disk takes to begin and its result to arrive, drawn from the seed."""

    chance: Random
    share: float = 0.2
    longest: float = 0.3

    def draw(self) -> float:
        return self.chance.uniform(0, self.longest) if self.chance.random() < self.share else 0.0


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop on a timeline. Threads are simulated as well: their work is done at drawn instants, one piece
    after the other for each executor, and its result arrives a little later, as from a real thread."""

    def __init__(self, timeline: Timeline, slowness: Slowness) -> None:
        self._timeline = timeline
        self._slowness = slowness
        self._lines: dict[int, deque[tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]]] = {}
        super().__init__(_Selector(timeline))
        self._clock_resolution = 1e-6
        self.set_exception_handler(self._note_unhandled)
        self.unhandled: list[str] = []

    def time(self) -> float:
        return self._timeline.seconds

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = self.create_future()
        line = self._lines.setdefault(id(executor), deque())
        line.append((future, func, args))
        if len(line) == 1:
            self.call_later(self._slowness.draw(), self._work, line)
        return future

    def _work(self, line: deque[tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]]) -> None:
        future, func, args = line[0]
        if not future.cancelled():  # what is cancelled before its thread took it up is never begun
            result: Any = None
            error: BaseException | None = None
            try:
                result = func(*args)
            except BaseException as raised:
                error = raised
            if self._timeline.dying:
                raise Crash
            delay = self._slowness.draw()
            if delay:
                self.call_later(delay, _deliver, future, result, error)
            else:
                _deliver(future, result, error)
        line.popleft()
        if line:
            self.call_later(self._slowness.draw(), self._work, line)

    def _note_unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.unhandled.append(f"{context.get('message')}: {context.get('exception')!r}")


def _deliver(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class MachineClock:
    """The daemon's clock: wrong by the timeline's skew."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def now(self) -> datetime:
        return self._timeline.wall()

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds()


class TrueClock:
    """The panel's clock."""

    speed = 1.0

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def seconds(self) -> float:
        return EPOCH.timestamp() + self._timeline.seconds

    def advance(self, duration: timedelta) -> None:
        raise NotImplementedError("the timeline alone moves on")


def machine_datetime(timeline: Timeline) -> type[datetime]:
    """`datetime` for modules that ask the machine for the time themselves."""

    class MachineDatetime(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return timeline.wall().astimezone(tz)

    return MachineDatetime
