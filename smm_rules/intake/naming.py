"""Orders as the operator names them on a command line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from smm_rules.facts import Entity, EntityKind
from smm_rules.intake.columns import column
from smm_rules.intake.lines import IntakeOptions, Unacceptable
from smm_rules.intake.values import identifier, order_from
from smm_rules.ledger.records import NewOrder

_BETWEEN = re.compile(r"[\s,;]+")


def parse_order_ids(texts: Sequence[str]) -> tuple[str, ...]:
    """IDs from words or lists like `12,13 14` or `#12`, each once, in order.

    `Unacceptable` names one that can't be an ID.
    """
    words = [word for text in texts for word in _BETWEEN.split(text) if word]
    return tuple(dict.fromkeys(identifier(word.removeprefix("#"), "order ID") for word in words))


def order_entity(text: str, panels: Sequence[str]) -> Entity:
    """The order named as `ID`, `PANEL/ID` or `order/PANEL/ID`; a bare ID needs a single configured panel."""
    panel, _, order = text.strip().removeprefix("order/").rpartition("/")
    if not panel:
        if len(panels) != 1:
            known = ", ".join(panels) or "none"
            raise Unacceptable(f"{text!r} doesn't say which panel", f"Write PANEL/ID; configured: {known}")
        panel = panels[0]
    return Entity(EntityKind.ORDER, panel, identifier(order.removeprefix("#"), "order ID"))


def order_named(order: str, said: Mapping[str, str], options: IntakeOptions) -> NewOrder:
    """The order `order` with what the operator said of it (`service`, `link`, `placed_at`, …).

    The same names and checks as a column of a file; `Unacceptable` says what can't be used.
    """
    values = {"order": order}
    for written, text in said.items():
        name = column(written)
        if name is not None:
            values[name] = text
    return order_from(values, options)
