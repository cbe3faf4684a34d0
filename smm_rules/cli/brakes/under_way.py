"""Waiting for what was being sent when a brake was put on."""

from __future__ import annotations

import asyncio
import time

from smm_rules.ledger.records import Intent, IntentState
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.stops import StopScope

_PAUSE = 0.05
_MANY = 10_000


async def settled(ledger: SqlLedger, scope: StopScope, name: str, seconds: float) -> tuple[Intent, ...]:
    """Wait until what was claimed before the brake has its answer; what hasn't after `seconds`.

    No claim succeeds once the brake is written, so when this gives nothing, nothing leaves any more.
    """
    deadline = time.monotonic() + seconds
    while True:
        sending = await ledger.intents((IntentState.SENDING,), _MANY)
        left = tuple(intent for intent in sending if _concerns(intent, scope, name))
        if not left or time.monotonic() >= deadline:
            return left
        await asyncio.sleep(_PAUSE)


def _concerns(intent: Intent, scope: StopScope, name: str) -> bool:
    if scope is StopScope.RULE:
        return intent.rule == name
    return scope is StopScope.ALL or intent.panel == name
