"""What is watched: orders, refills, services, balances and panels, each named by panel and id."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class EntityKind(StrEnum):
    """A kind of watched thing; a rule's `watch:` names one."""

    ORDER = "order"
    REFILL = "refill"
    BALANCE = "balance"
    SERVICE = "service"
    PANEL = "panel"


class Entity(NamedTuple):
    """One watched thing. `id` is the panel's own text for orders, refills and services, else empty."""

    kind: EntityKind
    panel: str
    id: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind.value, self.panel, self.id) if part)

    @classmethod
    def parse(cls, text: str) -> Entity:
        """The entity written as `kind/panel[/id]`; `ValueError` says what was expected."""
        kind, _, rest = text.partition("/")
        panel, _, identifier = rest.partition("/")
        if kind not in {known.value for known in EntityKind} or not panel:
            kinds = ", ".join(EntityKind)
            raise ValueError(f"expected kind/panel[/id] with kind one of {kinds}, not {text!r}")
        return cls(EntityKind(kind), panel, identifier)
