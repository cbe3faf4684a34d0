"""Why a fact isn't known, and where it would come from."""

from __future__ import annotations

from smm_rules.explanation.model import Standing
from smm_rules.facts import FIELDS, EntityKind

#: Facts of an order that nobody but the one who tracks it can tell.
_FROM_INTAKE = frozenset({"quantity", "link", "placed_at", "delivered", "progress", "age"})
_FROM_CHANGE = frozenset(
    {"previous_amount", "rate_increase", "came_back"}
    | {
        name
        for name in FIELDS[EntityKind.SERVICE]
        if name.startswith("previous_") or name.endswith("_changed")
    }
)


def why_missing(name: str, standing: Standing) -> str:
    """A sentence without an end: why the fact called `name` is not known of the entity."""
    prefix, dot, own = name.rpartition(".")
    kind = EntityKind(prefix) if dot else standing.entity.kind
    panel = standing.entity.panel
    if kind is EntityKind.SERVICE:
        return _of_service(own, standing)
    if own in _FROM_CHANGE:
        return "it is known from its first change on"
    if kind is EntityKind.BALANCE:
        return f"the balance of panel {panel} has not been read"
    if kind is EntityKind.PANEL:
        return _of_panel(own, panel)
    if kind is EntityKind.REFILL:
        return "the panel doesn't say"
    return _of_order(own)


def _of_service(own: str, standing: Standing) -> str:
    panel, order = standing.entity.panel, standing.order
    service = standing.entity.id if standing.entity.kind is EntityKind.SERVICE else None
    if standing.entity.kind is not EntityKind.SERVICE:
        service = order.service if order else None
        if service is None:
            return "it isn't known which service the order is of; track it with --service"
    if own in _FROM_CHANGE:
        return "it is known from its first change on"
    if own in ("listed_at", "listed_for") and standing.service_known:
        return f"service {service} was in the catalogue of panel {panel} when it was read first"
    if standing.service_known:
        return f"the catalogue of panel {panel} doesn't say it of service {service}"
    if isinstance(standing.health.get("catalogue_read_at"), type(None)):
        return f"the catalogue of panel {panel} has not been read"
    return f"service {service} is not in the catalogue of panel {panel}"


def _of_panel(own: str, panel: str) -> str:
    if own in ("failing_since", "failing_for"):
        return f"panel {panel} is not failing"
    if own.startswith("catalogue"):
        return f"the catalogue of panel {panel} has not been read"
    return f"panel {panel} has not answered yet"


def _of_order(own: str) -> str:
    if own in ("delivered", "progress"):
        return "it follows from the quantity and what remains, and one of them is not known"
    if own in _FROM_INTAKE:
        return "nobody told the daemon; track or import the order with it"
    return "the panel doesn't say"


def readable(name: str, standing: Standing) -> str:
    """`name is unknown: why`."""
    return f"{name} is unknown: {why_missing(name, standing)}"
