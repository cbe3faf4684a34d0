"""Paths of the status page, for links in messages. The page itself has its routes in `web/`."""

from __future__ import annotations

from urllib.parse import quote

from smm_rules.facts import Entity, EntityKind

HOME = ""
HELD = "intents?state=held"
REJECTED = "intents?state=rejected"
STOPS = "stops"
MESSAGES = "messages"
ALERTS = "alerts"


def intent(number: int) -> str:
    """One action."""
    return f"intents/{number}"


def panel(name: str) -> str:
    """One panel."""
    return f"panels/{quote(name, safe='')}"


def rule(name: str) -> str:
    """One rule."""
    return f"rules/{quote(name, safe='')}"


def about(entity: Entity) -> str:
    """The page of what a rule watches: an order's or a service's own, else its panel's."""
    if entity.kind is EntityKind.ORDER:
        return f"orders/{quote(entity.panel, safe='')}/{quote(entity.id, safe='')}"
    if entity.kind is EntityKind.SERVICE:
        return f"services/{quote(entity.panel, safe='')}/{quote(entity.id, safe='')}"
    return panel(entity.panel)


def statement(day: str) -> str:
    """The statement of one day, like 2026-03-01."""
    return f"statements?day={quote(day, safe='')}"
