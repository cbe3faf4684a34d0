"""What was done under a key before, and whether it is what is asked for now."""

from __future__ import annotations

from smm_rules.ledger.records import Asked, Received
from smm_rules.observe import get_logger
from smm_rules.receiving.problem import Code, Problem

log = get_logger(__name__)


def same_as(asked: Asked, done: Received) -> str:
    """The answer of what was done; `Problem` 422 when that was something else."""
    if done.digest != asked.digest:
        log.warning("intake.http_key_reused", client=asked.client, intent=done.intent)
        raise Problem(
            422,
            Code.KEY_REUSED,
            f"under this key something else was asked for at {done.at.isoformat()}; nothing was done now",
            "For another request take another key. To ask for the same again, send the very same body",
        )
    return done.answer
