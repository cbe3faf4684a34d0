"""A hold for scripts."""

from __future__ import annotations

from smm_rules.ledger.holds import Hold
from smm_rules.standing.gap import gap_lines as gap_lines


def hold_shape(hold: Hold) -> dict[str, object]:
    """A hold for scripts."""
    gap = hold.gap
    return {
        "at": hold.at,
        "reason": hold.reason,
        "found": hold.reason.sentence,
        "known_until": gap.known_until,
        "stamped_at": gap.stamped_at,
        "intents": None if gap.intents is None else list(gap.intents),
        "orders": gap.orders,
        "source": gap.source,
    }
