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
    """One firing by side: when it came on each, None on a side where it didn't."""

    rule: str
    entity: Entity
    occasion: Occasion
    at: tuple[datetime | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the sides don't agree that it came."""
        return None in self.at

    @property
    def earliest(self) -> datetime:
        return min(at for at in self.at if at is not None)


def compare(accounts: Sequence[Account], tolerance: timedelta) -> tuple[Compared, ...]:
    """Every firing of any account, in time order.

    Firings of one rule and thing on the same occasion are one and the same when they are at most
    `tolerance` apart: a look is seldom to the second where a replay puts it.
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
    waiting = [[one.at for one in side] for side in sides]
    found: list[Compared] = []
    while any(waiting):
        first = min(side[0] for side in waiting if side)
        taken = [side.pop(0) if side and side[0] - first <= tolerance else None for side in waiting]
        found.append(Compared(*key, tuple(taken)))
    return found
