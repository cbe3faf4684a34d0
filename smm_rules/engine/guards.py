"""Limits over more than one entity. The caller counts, these judge.

They concern firings of the occasion FIRED only: reminders and ends belong to episodes already let through.
"""

from __future__ import annotations

from smm_rules.engine.memory import Reason
from smm_rules.rules.model import Limits


def over_sweep_limit(limits: Limits, count: int) -> bool:
    """Whether `count` firings of one rule in one sweep are too many: then it acts on none of them."""
    return limits.per_sweep is not None and count > limits.per_sweep


def chain_verdict(limits: Limits, firings_in_chain: int) -> Reason | None:
    """What stops one more firing of a rule that fired `firings_in_chain` times over a chain of reorders."""
    if limits.per_chain is not None and firings_in_chain >= limits.per_chain:
        return Reason.LIMIT_PER_CHAIN
    return None
