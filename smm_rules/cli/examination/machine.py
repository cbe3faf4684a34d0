"""What the machine gives: time, and the word of systemd."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from smm_rules.cli.examination.finding import Finding, ok, problem, warning

#: No clock that is right shows an earlier year: this program is younger.
_EARLIEST_YEAR = 2026
_TIMESYNC = Path("/run/systemd/timesync")


def examine_clock(now: datetime) -> Iterator[Finding]:
    """Whether the time can be right, and what counts as a day."""
    if now.year < _EARLIEST_YEAR:
        found = f"it shows {now.isoformat(timespec='seconds')}"
        yield problem("clock", found, "Set the clock: TLS, holds and limits need it")
    elif _TIMESYNC.is_dir() and not (_TIMESYNC / "synchronized").exists():
        found = f"{now.isoformat(timespec='seconds')}, not synchronised yet"
        yield warning("clock", found, "See timedatectl timesync-status")
    else:
        yield ok("clock", now.isoformat(timespec="seconds"))
    zone = time.tzname[time.localtime().tm_isdst > 0]
    yield ok("time zone", f"the machine's is {zone}; smm-rules counts and writes in UTC")


def examine_systemd(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether systemd listens and watches; from a shell it does neither, which is no fault."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        yield ok("systemd", "not started by it: no readiness, no watchdog")
    elif not address.startswith(("/", "@")):
        found = f"NOTIFY_SOCKET is {address}, which is no Unix socket"
        yield warning("systemd", found, "Start by a unit of Type=notify")
    elif environment.get("WATCHDOG_USEC"):
        yield ok("systemd", "listens and watches")
    else:
        yield warning("systemd", "listens, and doesn't watch", "Set WatchdogSec=120 in the unit")
