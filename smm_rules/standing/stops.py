"""A stop in words."""

from __future__ import annotations

from smm_rules.ledger.stops import Stop, StopKind, StopScope
from smm_rules.standing.times import moment

_KINDS = {
    StopKind.PAUSE: "paused",
    StopKind.PANIC: "panic",
    StopKind.BREAKER: "breaker open",
    StopKind.SWEEP: "over limit.per_sweep",
}


def in_words(stop: Stop) -> str:
    """`rule top-up: paused by ann since …, until …: the panel's numbers look wrong`."""
    what = "everything" if stop.scope is StopScope.ALL else f"{stop.scope} {stop.name}"
    ends = f", until {moment(stop.until)}" if stop.kind is StopKind.PAUSE and stop.until else ""
    by = stop.by.removeprefix("operator:")
    return f"{what}: {_KINDS[stop.kind]} by {by} since {moment(stop.since)}{ends}: {stop.reason}"
