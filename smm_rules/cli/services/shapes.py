"""Services and their changes as scripts get them in JSON."""

from __future__ import annotations

from smm_rules.history.changes import ServiceChange
from smm_rules.ledger.records import Watched


def service_shape(service: Watched, currency: str | None) -> dict[str, object]:
    """A service with what its panel says of it; `currency` is that of its rate."""
    return {
        "service": service.entity.id,
        "panel": service.entity.panel,
        "currency": currency,
        "facts": service.facts,
        "first_seen_at": service.first_seen_at,
        "last_seen_at": service.last_seen_at,
    }


def change_shape(change: ServiceChange, currency: str | None) -> dict[str, object]:
    """What became of a service, each difference with both sides."""
    return {
        "service": change.service.id,
        "panel": change.service.panel,
        "event": change.event,
        "at": change.at,
        "times": change.times,
        "currency": currency,
        "name": change.facts.get("name"),
        "differences": {
            one.name: {"before": one.before, "after": one.after}
            | ({} if one.increase is None else {"increase": one.increase})
            for one in change.differences
        },
        "facts": change.facts,
    }
