"""Every fact a rule may read, with its type. Conditions, templates, checks and docs all come from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from smm_rules.facts.entities import EntityKind


class FactType(StrEnum):
    """The types of the condition language. NUMBER and MONEY values are int or Decimal, never float."""

    BOOLEAN = "boolean"
    NUMBER = "number"
    MONEY = "money"
    TEXT = "text"
    ORDER_STATUS = "order status"
    REFILL_STATUS = "refill status"
    DURATION = "duration"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Field:
    """One readable fact.

    `since` marks a duration that runs: its value is `now` less the TIME fact of that name, so it is never
    stored and a condition on it can become true without a new observation.
    """

    name: str
    type: FactType
    meaning: str
    since: str | None = None


_B, _N, _M, _T, _D, _AT = (
    FactType.BOOLEAN,
    FactType.NUMBER,
    FactType.MONEY,
    FactType.TEXT,
    FactType.DURATION,
    FactType.TIME,
)

_ORDER = (
    Field("id", _T, "the panel's own order ID"),
    Field("status", FactType.ORDER_STATUS, "the order's status, in one spelling"),
    Field("status_known", _B, "false when the panel answered with a status nobody knows"),
    Field("remains", _N, "how many are still to be delivered; a panel may answer a negative number"),
    Field("start_count", _N, "the count when the panel started, often unknown"),
    Field("charge", _M, "what the panel charged so far, in `currency`"),
    Field("currency", _T, "the currency of `charge`, three capitals"),
    Field("error", _T, "what the panel answered instead of a status, empty when it answered one"),
    Field("runs", _N, "finished runs of a drip-feed order"),
    Field("posts", _N, "posts served by a subscription"),
    Field("expiry", _T, "the expiry of a subscription as the panel writes it"),
    Field("suborders", _N, "how many orders a drip-feed or subscription order has made"),
    Field("quantity", _N, "how many were ordered, from intake"),
    Field("link", _T, "the link ordered for, from intake"),
    Field("label", _T, "the operator's own text for the order, from intake"),
    Field("delivered", _N, "`quantity` less `remains`"),
    Field("progress", _N, "the delivered share, 0 to 1"),
    Field("placed_at", _AT, "when the order was placed; unknown for an import that didn't say"),
    Field("tracked_at", _AT, "when the daemon was told of the order"),
    Field("changed_at", _AT, "when status or remains last changed"),
    Field("status_since", _AT, "when the present status was first seen"),
    Field("age", _D, "time since the order was placed", since="placed_at"),
    Field("tracked_for", _D, "time since the daemon was told of the order", since="tracked_at"),
    Field("unchanged", _D, "time since status or remains last changed", since="changed_at"),
    Field("in_status", _D, "time since the present status was first seen", since="status_since"),
    Field("refills", _N, "refills the panel accepted through this daemon"),
    Field("chain_depth", _N, "0 for an original order, 1 for its reorder, 2 for the reorder's reorder"),
)

_REFILL = (
    Field("id", _T, "the panel's own refill ID"),
    Field("status", FactType.REFILL_STATUS, "the refill's status, in one spelling"),
    Field("status_known", _B, "false when the panel answered with a status nobody knows"),
    Field("error", _T, "what the panel answered instead of a status, empty when it answered one"),
    Field("requested_at", _AT, "when the refill was accepted"),
    Field("changed_at", _AT, "when the status last changed"),
    Field("age", _D, "time since the refill was accepted", since="requested_at"),
    Field("unchanged", _D, "time since the status last changed", since="changed_at"),
)

_BALANCE = (
    Field("amount", _M, "the money left on the panel, in `currency`"),
    Field("currency", _T, "the currency of `amount`, three capitals"),
    Field("previous_amount", _M, "the amount before the last change"),
    Field("changed_at", _AT, "when the amount last changed"),
    Field("unchanged", _D, "time since the amount last changed", since="changed_at"),
)

_SERVICE = (
    Field("id", _T, "the panel's own service ID"),
    Field("name", _T, "the service's name"),
    Field("type", _T, "the service's type, such as Default or Custom Comments"),
    Field("category", _T, "the service's category"),
    Field("rate", _M, "the price of 1000, in the panel's currency"),
    Field("min", _N, "the smallest quantity"),
    Field("max", _N, "the largest quantity"),
    Field("refill", _B, "whether the panel offers refills"),
    Field("cancel", _B, "whether the panel offers cancelling"),
    Field("dripfeed", _B, "whether the panel offers drip-feed"),
    Field("gone", _B, "whether the service is missing from a catalogue that isn't empty"),
    Field("previous_rate", _M, "the rate before its last change"),
    Field("rate_increase", _N, "the last change of the rate as a share: 0.10 for ten percent dearer"),
    Field("previous_min", _N, "the smallest quantity before its last change"),
    Field("previous_max", _N, "the largest quantity before its last change"),
    Field("previous_name", _T, "the name before its last change"),
    Field("previous_type", _T, "the type before its last change"),
    Field("rate_changed", _B, "whether the last change of the service was one of its rate (too)"),
    Field("min_changed", _B, "whether the last change was one of the smallest quantity"),
    Field("max_changed", _B, "whether the last change was one of the largest quantity"),
    Field("name_changed", _B, "whether the last change was one of the name"),
    Field("type_changed", _B, "whether the last change was one of the type"),
    Field("category_changed", _B, "whether the last change was one of the category"),
    Field("refill_changed", _B, "whether the last change was that refills came or went"),
    Field("cancel_changed", _B, "whether the last change was that cancelling came or went"),
    Field("dripfeed_changed", _B, "whether the last change was that drip-feed came or went"),
    Field("came_back", _B, "whether the last change was that the service, gone before, is offered again"),
    Field("changed_at", _AT, "when anything about the service last changed"),
    Field("unchanged", _D, "time since anything about the service last changed", since="changed_at"),
    Field("listed_at", _AT, "when it joined a catalogue that had been read before; else unknown"),
    Field("listed_for", _D, "time since it joined a catalogue that had been read before", since="listed_at"),
)

_PANEL = (
    Field("name", _T, "the panel's name in the configuration"),
    Field("reachable", _B, "whether the last request was answered"),
    Field("failures", _N, "failed polls in a row"),
    Field("last_error", _T, "the last failure in words, empty when there was none"),
    Field("failing_since", _AT, "when the present run of failures began; unknown while there is none"),
    Field("failing_for", _D, "how long polls have been failing", since="failing_since"),
    Field("last_answer_at", _AT, "when the panel last answered"),
    Field("silent_for", _D, "time since the panel last answered", since="last_answer_at"),
    Field("catalogue_read_at", _AT, "when the catalogue was last read"),
    Field("catalogue_age", _D, "time since the catalogue was last read", since="catalogue_read_at"),
)

#: The fields of each kind by name.
FIELDS: dict[EntityKind, dict[str, Field]] = {
    kind: {field.name: field for field in fields}
    for kind, fields in (
        (EntityKind.ORDER, _ORDER),
        (EntityKind.REFILL, _REFILL),
        (EntityKind.BALANCE, _BALANCE),
        (EntityKind.SERVICE, _SERVICE),
        (EntityKind.PANEL, _PANEL),
    )
}

#: What a kind belongs to: its facts are readable as `service.refill`, `panel.name` and so on.
RELATED: dict[EntityKind, tuple[EntityKind, ...]] = {
    EntityKind.ORDER: (EntityKind.SERVICE, EntityKind.BALANCE, EntityKind.PANEL),
    EntityKind.REFILL: (EntityKind.ORDER, EntityKind.SERVICE, EntityKind.BALANCE, EntityKind.PANEL),
    EntityKind.BALANCE: (EntityKind.PANEL,),
    EntityKind.SERVICE: (EntityKind.BALANCE, EntityKind.PANEL),
    EntityKind.PANEL: (EntityKind.BALANCE,),
}


@cache
def readable_fields(kind: EntityKind) -> Mapping[str, Field]:
    """Every name a rule watching `kind` may read: bare, with its own prefix, and of what it belongs to.

    `status`, `order.status` and `service.refill` for an order. A name with the entity's own prefix is the
    bare one's alias: its Field carries the bare name.
    """
    names = dict(FIELDS[kind])
    names |= {f"{kind}.{name}": field for name, field in FIELDS[kind].items()}
    for other in RELATED[kind]:
        for name, field in FIELDS[other].items():
            since = f"{other}.{field.since}" if field.since else None
            names[f"{other}.{name}"] = Field(f"{other}.{name}", field.type, field.meaning, since)
    return MappingProxyType(names)
