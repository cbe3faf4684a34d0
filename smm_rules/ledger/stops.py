"""What keeps actions from being sent, as plain records, and which of it concerns an action."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smm_rules.engine.guards import BREAKER
from smm_rules.engine.memory import Reason


class StopKind(StrEnum):
    """Why actions are stopped: by the operator (`PAUSE`, `PANIC`), because too many went wrong (`BREAKER`),
    or because a rule would have acted on too much at once (`SWEEP`)."""

    PAUSE = "pause"
    PANIC = "panic"
    BREAKER = "breaker"
    SWEEP = "sweep"


class StopScope(StrEnum):
    RULE = "rule"
    PANEL = "panel"
    ALL = "all"


#: Stops that came by themselves. What is newly asked for is held meanwhile, and an approval passes them.
TRIPPED = frozenset({StopKind.BREAKER, StopKind.SWEEP})
#: What newly asked actions are held for meanwhile; one that was approved passes the stop.
PASSES_STOPS = frozenset({BREAKER, Reason.LIMIT_PER_SWEEP.value})


@dataclass(frozen=True, slots=True)
class Stop:
    """One reason why nothing is sent for a rule, to a panel, or at all. `name` is empty for everything.

    A pause is over at `until`, a panel's breaker may be closed from then on; None has no end of its own.
    """

    id: int
    kind: StopKind
    scope: StopScope
    name: str
    reason: str
    by: str
    since: datetime
    until: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str = ""

    def active(self, now: datetime) -> bool:
        """Whether it stops anything at `now`."""
        if self.ended_at is not None:
            return False
        return self.kind is not StopKind.PAUSE or self.until is None or now < self.until

    def concerns(self, rule: str, panel: str) -> bool:
        """Whether it stops actions of this rule on this panel."""
        match self.scope:
            case StopScope.RULE:
                return self.name == rule
            case StopScope.PANEL:
                return self.name == panel
        return True


def concerning(stops: Iterable[Stop], rule: str, panel: str, now: datetime) -> tuple[Stop, ...]:
    """The stops that keep an action of this rule on this panel from being sent now, the gravest first."""
    found = [stop for stop in stops if stop.active(now) and stop.concerns(rule, panel)]
    return tuple(sorted(found, key=lambda stop: stop.kind in TRIPPED))


def paused_rules(stops: Iterable[Stop], now: datetime) -> frozenset[str]:
    """The rules that don't fire now."""
    return frozenset(
        stop.name
        for stop in stops
        if stop.kind is StopKind.PAUSE and stop.scope is StopScope.RULE and stop.active(now)
    )
