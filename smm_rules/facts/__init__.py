"""Typed facts: the words in which panels, rules and the ledger speak of the watched things."""

from smm_rules.facts.durations import format_duration, parse_duration
from smm_rules.facts.entities import Entity, EntityKind
from smm_rules.facts.fields import FIELDS, RELATED, FactType, Field, readable_fields
from smm_rules.facts.snapshot import Facts, Known, Snapshot, Value
from smm_rules.facts.statuses import (
    TERMINAL_ORDER_STATUSES,
    TERMINAL_REFILL_STATUSES,
    OrderStatus,
    RefillStatus,
    order_status,
    refill_status,
)
from smm_rules.facts.unknown import UNKNOWN, Unknown, UnknownFact

__all__ = [
    "FIELDS",
    "RELATED",
    "TERMINAL_ORDER_STATUSES",
    "TERMINAL_REFILL_STATUSES",
    "UNKNOWN",
    "Entity",
    "EntityKind",
    "FactType",
    "Facts",
    "Field",
    "Known",
    "OrderStatus",
    "RefillStatus",
    "Snapshot",
    "Unknown",
    "UnknownFact",
    "Value",
    "format_duration",
    "order_status",
    "parse_duration",
    "readable_fields",
    "refill_status",
]
