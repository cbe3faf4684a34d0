"""Actions whose process died while it was sending: they are in doubt, and the operator is told."""

from __future__ import annotations

from datetime import datetime, timedelta

from smm_rules.actions.evidence import tell_in_doubt
from smm_rules.config.model import Configuration
from smm_rules.ledger.port import Ledger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.observe import get_logger

log = get_logger(__name__)

#: Every daemon claims under this name: the ledger's lock lets only one run, so at its start what is claimed
#: under it was claimed by one that is gone.
DAEMON = "daemon"
#: Matches no claim: while the daemon runs, only stale ones are recovered.
NOBODY = "recovery"
#: A claim older than this belongs to a process that is gone, unless a panel's time-out is very long.
STALE_CLAIM = timedelta(minutes=15)


def stale_claim(configuration: Configuration) -> timedelta:
    """How old a claim must be to belong to a process that is gone: no attempt lasts as long."""
    return max(STALE_CLAIM, *(2 * panel.timeout for panel in configuration.panels))


async def recover(ledger: Ledger, voice: OperatorVoice, owner: str, stale: timedelta, now: datetime) -> int:
    """Put in doubt what `owner` had claimed, and all claims older than `stale`; how many that were.

    Whatever is in doubt is told once ever, so a crash between the two loses no word.
    """
    in_doubt = await ledger.recover(now, owner, now - stale)
    for intent in in_doubt:
        log.error(
            "intent.in_doubt",
            intent=intent.id,
            rule=intent.rule,
            entity=str(intent.entity),
            kind=intent.kind.value,
            panel=intent.panel,
        )
    await tell_in_doubt(ledger, voice, now)
    return len(in_doubt)
