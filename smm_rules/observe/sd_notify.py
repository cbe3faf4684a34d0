"""Word to systemd over NOTIFY_SOCKET, as sd_notify(3) describes. Without the socket nothing happens."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from datetime import timedelta

#: How long one datagram may wait for room in systemd's queue. A daemon must not hang on its supervisor.
_PATIENCE_SECONDS = 1.0


class Notifier:
    """Tells systemd how the daemon is. Never raises: work goes on when nobody listens.

    `watchdog_interval` is how often to call `watchdog`: half of what the unit's `WatchdogSec=` allows,
    None when the unit sets none for this process.
    """

    def __init__(self, address: str | None = None, watchdog_interval: timedelta | None = None) -> None:
        self._address = address
        self.watchdog_interval = watchdog_interval

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Notifier:
        """The notifier systemd's variables ask for: NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID."""
        named = environment.get("NOTIFY_SOCKET", "")
        # Only unix sockets: a path, or an abstract name after `@`. `vsock:` is for whole machines.
        address = named if named.startswith(("/", "@")) else None
        return cls(address, _watchdog_interval(environment) if address else None)

    @property
    def listening(self) -> bool:
        """Whether there is a socket to speak to."""
        return self._address is not None

    def ready(self, status: str = "") -> bool:
        """Started, or reloaded. True when systemd was told."""
        return self._send("READY=1", *_status(status))

    def status(self, text: str) -> bool:
        """One line for `systemctl status`."""
        return self._send(*_status(text))

    def reloading(self) -> bool:
        """A reload began; `ready` ends it. The time stamp is what `Type=notify-reload` asks for."""
        microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        return self._send("RELOADING=1", f"MONOTONIC_USEC={microseconds}")

    def stopping(self, status: str = "") -> bool:
        """The daemon began to stop."""
        return self._send("STOPPING=1", *_status(status))

    def watchdog(self) -> bool:
        """The daemon made progress."""
        return self._send("WATCHDOG=1")

    def extend_timeout(self, by: timedelta) -> bool:
        """Ask for `by` more time for the start or stop under way."""
        return self._send(f"EXTEND_TIMEOUT_USEC={by // timedelta(microseconds=1)}")

    def _send(self, *assignments: str) -> bool:
        if self._address is None or not assignments:
            return False
        name = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as speaker:
                speaker.settimeout(_PATIENCE_SECONDS)
                speaker.sendto("\n".join(assignments).encode("utf-8", "replace"), name)
        except (OSError, ValueError):
            return False
        return True


def _status(text: str) -> tuple[str, ...]:
    """A status assignment. A line break would begin another assignment, so there is none."""
    return (f"STATUS={' '.join(text.split())}",) if text.strip() else ()


def _watchdog_interval(environment: Mapping[str, str]) -> timedelta | None:
    try:
        microseconds = int(environment.get("WATCHDOG_USEC", ""))
        meant_for = int(environment.get("WATCHDOG_PID", "") or os.getpid())
        interval = timedelta(microseconds=microseconds) / 2
    except (ValueError, OverflowError):
        return None
    return interval if microseconds > 0 and meant_for == os.getpid() else None
