"""What may have happened that the ledger doesn't know, in words."""

from __future__ import annotations

from collections.abc import Iterator

from smm_rules.facts import format_duration
from smm_rules.ledger.holds import Gap
from smm_rules.standing.times import moment


def gap_lines(gap: Gap) -> Iterator[str]:
    """What isn't known, a line each."""
    if gap.source:
        yield f"It was restored from {gap.source}."
    if gap.known_until is not None:
        yield f"The last thing it knows of was decided at {moment(gap.known_until)}."
    if gap.stamped_at is not None and (gap.known_until is None or gap.stamped_at > gap.known_until):
        after = (
            "" if gap.known_until is None else f", {format_duration(gap.stamped_at - gap.known_until)} later"
        )
        yield f"The last thing decided before was at {moment(gap.stamped_at)}{after}."
    if gap.intents is not None:
        first, last = gap.intents
        which = f"{first}" if first == last else f"{first} to {last}"
        yield f"Actions that were asked for in between, and may have been sent: intents {which}."
    for panel, order in gap.orders.items():
        yield f"The last order that {panel} confirmed is {order}, which the ledger doesn't know."
