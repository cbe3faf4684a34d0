"""Holds: times at which nothing acting may leave, because the ledger may have forgotten what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the stamp raises the port's errors, and the port speaks of holds
    from smm_rules.ledger.stamp import Stamp


class HoldReason(StrEnum):
    """What speaks for it that the ledger is not the one that was worked on last."""

    RESTORED = "restored"
    OLDER = "older"
    DIVERGED = "diverged"
    OTHER_LEDGER = "other_ledger"
    STAMP_MISSING = "stamp_missing"
    STAMP_UNREADABLE = "stamp_unreadable"
    STAMP_COPIED = "stamp_copied"

    @property
    def sentence(self) -> str:
        """The finding as a sentence for the operator."""
        return _SENTENCES[self]


_SENTENCES = {
    HoldReason.RESTORED: "The ledger was restored from a backup.",
    HoldReason.OLDER: "The ledger is older than the stamp beside it: it was put back from a copy.",
    HoldReason.DIVERGED: "The ledger's record isn't the one that its stamp has followed: it was put back "
    "from a copy and worked on since, or its record was changed.",
    HoldReason.OTHER_LEDGER: "The stamp belongs to another ledger: the one before was deleted or replaced.",
    HoldReason.STAMP_MISSING: "The stamp beside the ledger is missing: the ledger was moved without it, or "
    "put back from a copy.",
    HoldReason.STAMP_UNREADABLE: "The stamp beside the ledger is damaged, so nothing says that the ledger is "
    "the newest.",
    HoldReason.STAMP_COPIED: "The stamp beside the ledger is a copy: both were moved here, or put back from "
    "a copy together.",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """What may have happened that the ledger doesn't know.

    `known_until` is the time of the ledger's last decision, `stamped_at` that of the last one stamped; None
    where there is none. `intents` are the first and last ID of actions asked for in between. `orders` are
    the last orders confirmed by each panel that the ledger doesn't know. `source` is the backup's path.
    """

    known_until: datetime | None = None
    stamped_at: datetime | None = None
    intents: tuple[int, int] | None = None
    orders: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """The ledger and its stamp don't belong together. `stamp` is None where it can't be read."""

    reason: HoldReason
    stamp: Stamp | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold in the ledger. It ends when the operator confirms it.

    From then on rules act again on what began at `act_since` or later; what began before stays held.
    """

    id: int
    at: datetime
    reason: HoldReason
    gap: Gap
    by: str
    confirmed_at: datetime | None = None
    confirmed_by: str = ""
    act_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A hold confirmed, and the IDs of the actions that go ahead by that."""

    hold: Hold
    released: tuple[int, ...]
