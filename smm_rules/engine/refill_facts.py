"""Refills: the panel's answer → the facts to store."""

from __future__ import annotations

from datetime import datetime

from smm_rules.engine.observation import Observation, differs, known_only
from smm_rules.facts import EntityKind, Facts
from smm_rules.panel.answers import RefillState, Refused


def observe_refill(
    before: Facts, answer: RefillState | Refused, refill: str, requested_at: datetime | None, now: datetime
) -> Observation:
    """The facts of the refill with the panel's ID `refill` after its panel answered.

    `requested_at` is when the panel accepted it, None where that isn't known; what was stored before is
    kept then. An error instead of a status is kept in `error` and leaves the status as it was.
    """
    same = not isinstance(answer, Refused) and before.get("status") == answer.status
    after = known_only({"id": refill, "requested_at": requested_at or before.get("requested_at")})
    if isinstance(answer, Refused):
        kept = {name: before[name] for name in ("status", "status_known", "changed_at") if name in before}
        after |= kept | {"error": answer.message}
    else:
        after |= {
            "status": answer.status,
            "status_known": answer.status_known,
            "error": "",
            "changed_at": before.get("changed_at", now) if same else now,
        }
    return Observation(after, differs(EntityKind.REFILL, before, after))
