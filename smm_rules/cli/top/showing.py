"""The screen while `top` runs: drawn again at intervals, when it is resized, and on a key."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from smm_rules.cli.top.frame import frame
from smm_rules.cli.top.view import View, Viewer
from smm_rules.ledger.port import LedgerError

_QUIT = frozenset({"q", "Q", "\x03", "\x04"})
_AGAIN = frozenset({"r", "R", " "})
#: Looking takes at most this share of the time: a big ledger isn't kept busy by who watches it.
_SHARE = 0.2


class Screen:
    """Draws frames until the user quits."""

    def __init__(self, viewer: Viewer, every: timedelta) -> None:
        self._viewer = viewer
        self._every = every.total_seconds()
        self._console = Console(highlight=False)
        self._view: View | None = None
        self._trouble = ""
        self._quits = asyncio.Event()
        self._look = asyncio.Event()

    async def run(self) -> None:
        """Look and draw until a key or a signal ends it; the terminal is then as it was."""
        loop = asyncio.get_running_loop()
        with (
            _keys_one_by_one(),
            Live(console=self._console, screen=True, auto_refresh=False, transient=True) as live,
        ):
            loop.add_reader(sys.stdin.fileno(), self._on_key)
            loop.add_signal_handler(signal.SIGWINCH, self._draw, live)
            for ending in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.add_signal_handler(ending, self._quits.set)
            try:
                await self._go_on(live)
            finally:
                loop.remove_reader(sys.stdin.fileno())
                for number in (signal.SIGWINCH, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                    loop.remove_signal_handler(number)

    async def _go_on(self, live: Live) -> None:
        quits = asyncio.ensure_future(self._quits.wait())
        try:
            while not self._quits.is_set():
                took = await self._look_again()
                self._draw(live)
                self._look.clear()
                again = asyncio.ensure_future(self._look.wait())
                await asyncio.wait(
                    (quits, again),
                    timeout=max(self._every, took / _SHARE),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                again.cancel()
        finally:
            quits.cancel()

    async def _look_again(self) -> float:
        """Look; how many seconds it took. A ledger that can't be read just now keeps the last view."""
        started = time.monotonic()
        try:
            self._view = await self._viewer.look()
            self._trouble = ""
        except LedgerError as error:
            self._trouble = f"The ledger can't be read: {error} Trying again."
        return time.monotonic() - started

    def _draw(self, live: Live) -> None:
        width, height = self._console.size
        lines: list[Text] = []
        room = max(height - 1 - bool(self._trouble), 1)
        if self._trouble:
            lines.append(Text(self._trouble, style="bold red", no_wrap=True, overflow="ellipsis"))
        if self._view is not None:
            lines += frame(self._view, width, room)
        keys = Text("q quits  r looks again", style="dim", no_wrap=True, overflow="ellipsis")
        lines += [Text("")] * (height - 1 - len(lines))
        live.update(Group(*lines[: height - 1], keys), refresh=True)

    def _on_key(self) -> None:
        typed = os.read(sys.stdin.fileno(), 64).decode("utf-8", "replace")
        if not typed or _QUIT & set(typed):
            self._quits.set()
        elif _AGAIN & set(typed):
            self._look.set()


@contextmanager
def _keys_one_by_one() -> Iterator[None]:
    """Keys come as they are pressed and aren't shown; the terminal is put back at the end."""
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    try:
        tty.setcbreak(number)
        yield
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
