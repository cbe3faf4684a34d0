"""What a ledger itself tells, wherever it is: whether it is on hold, and who works on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from smm_rules.cli.examination.finding import Finding, ok, problem, warning
from smm_rules.facts import format_duration
from smm_rules.ledger.holds import HoldReason
from smm_rules.ledger.records import Heartbeat
from smm_rules.standing.overview import DaemonState, daemon_standing

#: A clock may be this far behind what the ledger has seen before it is called wrong.
_CLOCK_SLACK = timedelta(minutes=1)


def hold_finding(reason: HoldReason | None) -> Finding:
    """Whether anything is sent at all; `reason` is why not."""
    if reason is None:
        return ok("hold", "none: the ledger is the one worked on last")
    return problem("hold", f"nothing is sent. {reason.sentence}", "smm-rules hold show")


def daemon_finding(holder: str | None, beat: Heartbeat | None, now: datetime) -> Finding:
    """Who has the daemon's lock (None when nobody has it), and how it stands."""
    daemon = daemon_standing(holder, beat, now)
    name = f"process {daemon.process}" if daemon.process else "a process"
    if daemon.state is DaemonState.STUCK and daemon.beat_at is not None:
        silent_for = format_duration(now - daemon.beat_at)
        found = f"{name} is running and hasn't beaten for {silent_for}: it is stuck"
        return problem("daemon", found, "Read its log, then restart it")
    if daemon.state is DaemonState.RUNNING:
        return ok("daemon", f"{name} is running on this ledger")
    if daemon.state is DaemonState.GONE:
        found = "none is running on this ledger, and the last one didn't end in order"
        return warning("daemon", found, "Read its log; the next start shows what is in doubt")
    return ok("daemon", "none is running on this ledger")


def clock_findings(beat: Heartbeat | None, now: datetime) -> Iterator[Finding]:
    """Whether this machine's clock is behind what the ledger has seen."""
    if beat is not None and now < beat.beat_at - _CLOCK_SLACK:
        behind = format_duration(beat.beat_at - now)
        found = f"it is {behind} behind the daemon's last heartbeat"
        yield problem("clock", found, "Set the clock: holds and limits are counted by it")
