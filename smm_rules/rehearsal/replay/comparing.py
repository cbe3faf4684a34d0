"""Two accounts side by side: what both tell of, and what only one does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smm_rules.engine.firing import Occasion
from smm_rules.facts import Entity
from smm_rules.rehearsal.replay.model import Account, Fired

_Key = tuple[str, Entity, Occasion]


@dataclass(frozen=True, slots=True)
class Compared:
    """One firing by side: when it came on each, None on a side where it didn't.

    `moved` says that it came on all sides, yet not at the same time.
    """

    rule: str
    entity: Entity
    occasion: Occasion
    at: tuple[datetime | None, ...]
    moved: bool = False

    @property
    def differs(self) -> bool:
        """Whether the sides don't agree that it came, and when."""
        return self.moved or None in self.at

    @property
    def earliest(self) -> datetime:
        return min(at for at in self.at if at is not None)


def compare(accounts: Sequence[Account], tolerance: timedelta) -> tuple[Compared, ...]:
    """Every firing of any account, in time order.

    Firings of one rule and thing on the same occasion are one and the same when they are at most
    `tolerance` apart, for a look is seldom to the second where a replay puts it; or when they are of one
    stretch of the condition, as after an edit of `for`.
    """
    by_key: list[defaultdict[_Key, list[Fired]]] = [_by_key(account) for account in accounts]
    keys = dict.fromkeys(key for side in by_key for key in side)
    compared = [one for key in keys for one in _of_key(key, [side[key] for side in by_key], tolerance)]
    return tuple(sorted(compared, key=lambda one: (one.earliest, one.rule, str(one.entity))))


def _by_key(account: Account) -> defaultdict[_Key, list[Fired]]:
    found: defaultdict[_Key, list[Fired]] = defaultdict(list)
    for one in sorted(account.fired, key=lambda fired: fired.at):
        found[one.rule, one.entity, one.occasion].append(one)
    return found


def _of_key(key: _Key, sides: Sequence[Sequence[Fired]], tolerance: timedelta) -> list[Compared]:
    """Pair the earliest of all sides with whatever comes within the tolerance of it, and so on."""
    waiting = [list(side) for side in sides]
    found: list[Compared] = []
    while any(waiting):
        first = min((side[0] for side in waiting if side), key=lambda one: one.at)
        taken = [side.pop(0).at if side and _same(first, side[0], tolerance) else None for side in waiting]
        came = [at for at in taken if at is not None]
        found.append(Compared(*key, tuple(taken), moved=max(came) - min(came) > tolerance))
    return found


def _same(first: Fired, other: Fired, tolerance: timedelta) -> bool:
    if other.at - first.at <= tolerance:
        return True
    if first.episode is None or other.episode is None:
        return False
    return first.ordinal == other.ordinal and abs(other.episode - first.episode) <= tolerance
