"""Balances: the panel's answer → the facts to store."""

from __future__ import annotations

from datetime import datetime

from smm_rules.engine.observation import Observation, differs, known_only
from smm_rules.facts import EntityKind, Facts
from smm_rules.panel.answers import Balance


def observe_balance(before: Facts, answer: Balance, now: datetime) -> Observation:
    """The facts of a panel's balance after it answered.

    `previous_amount` is unknown until a first change, and once the panel counts in another currency: amounts
    in two of them can't be compared.
    """
    seen, currencies = before.get("amount"), {before.get("currency"), answer.currency} - {None}
    moved = seen != answer.amount or len(currencies) > 1
    previous = seen if moved and seen is not None else before.get("previous_amount")
    after = known_only(
        {
            "amount": answer.amount,
            "currency": answer.currency,
            "previous_amount": previous if len(currencies) < 2 else None,
            "changed_at": now if moved else before.get("changed_at", now),
        }
    )
    return Observation(after, differs(EntityKind.BALANCE, before, after))
