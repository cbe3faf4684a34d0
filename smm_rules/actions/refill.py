"""May a refill be asked for? The panel itself is the judge of whether one is due."""

from __future__ import annotations

from smm_rules.actions.circumstances import Circumstances
from smm_rules.actions.existing import check_existing
from smm_rules.actions.verdict import Verdict
from smm_rules.ledger.records import Intent


def check_refill(intent: Intent, circumstances: Circumstances) -> Verdict:
    """Ready with the order's ID.

    The catalogue's `refill` flag is not asked: a panel that refuses says why, and a refused refill is what
    `otherwise:` is for.
    """
    return check_existing(intent, circumstances)
