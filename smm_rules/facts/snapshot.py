"""All facts of one entity at one time, as the engine reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from smm_rules.facts.entities import Entity
from smm_rules.facts.unknown import Unknown

#: A known fact's value. Never float: money and shares are Decimal.
Known = bool | int | Decimal | str | datetime | timedelta
#: A fact's value, known or not.
Value = Known | Unknown
#: Facts by name, as stored: names of the entity's own fields, unknown ones simply absent.
Facts = dict[str, Known]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of `entity` at `taken_at`.

    `facts` is complete and flat: every stored field the entity's rules may read has a key, the related
    ones dotted (`service.refill`), those not known with the value UNKNOWN. Running durations (`age`) are
    not in it; they follow from `now`.

    `previous_at` is when the entity was last observed before this, None for the first time ever.
    `root` is the first order of a chain of reorders, for an order; else the entity itself.
    `imported` says that the entity was not made by this daemon, so its first state is old news.
    """

    entity: Entity
    facts: dict[str, Value]
    taken_at: datetime
    previous_at: datetime | None
    root: Entity
    imported: bool = False
