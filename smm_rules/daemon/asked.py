"""What is asked of a process that lives long: to end, and to read its rules again."""

from __future__ import annotations

import asyncio
import signal


class Asked:
    """The wishes of signals, files and tests, as events to wait for. `_asked_by` is who wanted the reload."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self._reload_wanted = asyncio.Event()
        self._asked_by = ""

    def stop(self) -> None:
        """Ask it to drain and end."""
        self._stopping.set()

    def reload(self, asked_by: str = "signal") -> None:
        """Ask it to read its rules again."""
        self._asked_by = asked_by
        self._reload_wanted.set()

    def listen_to_signals(self) -> None:
        """SIGTERM and SIGINT stop, SIGHUP reloads. Needs a running loop in the main thread."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.reload)
