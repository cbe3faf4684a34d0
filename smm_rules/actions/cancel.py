"""May a cancel be asked for? It is only asked for: the order is canceled when its status says so."""

from __future__ import annotations

from smm_rules.actions.circumstances import Circumstances
from smm_rules.actions.existing import check_existing
from smm_rules.actions.verdict import Verdict
from smm_rules.ledger.records import Intent


def check_cancel(intent: Intent, circumstances: Circumstances) -> Verdict:
    """Ready with the order's ID."""
    return check_existing(intent, circumstances)
