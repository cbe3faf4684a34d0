"""Watched things as written on the command line: `order/main/123`, `balance/main`, or just an order's ID."""

from __future__ import annotations

from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.naming import panels_of
from smm_rules.config.model import Configuration
from smm_rules.facts import Entity, EntityKind
from smm_rules.intake import order_entity
from smm_rules.ledger.sql.ledger import SqlLedger

_WHOLE = (EntityKind.BALANCE, EntityKind.PANEL)


async def thing_named(
    text: str, kind: EntityKind, panel: str | None, configuration: Configuration, ledger: SqlLedger
) -> Entity:
    """The thing written as `text`, which is of `kind` unless it says otherwise itself.

    A bare ID needs a panel: the one given, the only one there is, or, for an order, the only one on which
    the ledger knows it. `Stop` and `Unacceptable` say what is missing.
    """
    written = text.strip()
    if _says_its_kind(written, configuration):
        return _parsed(written)
    if kind in _WHOLE:
        return Entity(kind, written)
    if kind is EntityKind.ORDER:
        return await _order(written, panel, configuration, ledger)
    of_panel, _, identifier = written.rpartition("/")
    return Entity(kind, of_panel or _only_panel(panel, configuration), identifier)


def _says_its_kind(text: str, configuration: Configuration) -> bool:
    """Whether it begins with a kind, and that is no panel's name."""
    first, slash, _ = text.partition("/")
    kinds = {kind.value for kind in EntityKind}
    return bool(slash) and first in kinds and first not in panels_of(configuration)


def _parsed(text: str) -> Entity:
    try:
        return Entity.parse(text)
    except ValueError as error:
        raise Stop(str(error), Exit.USAGE) from None


async def _order(text: str, panel: str | None, configuration: Configuration, ledger: SqlLedger) -> Entity:
    panels = panels_of(configuration)
    if panel is not None or "/" in text or len(panels) == 1:
        return order_entity(text, [panel] if panel is not None else panels)
    candidates = [order_entity(f"{name}/{text}", panels) for name in panels]
    known = [entity for entity in candidates if await ledger.order(entity) is not None]
    if len(known) == 1:
        return known[0]
    where = " and ".join(entity.panel for entity in known) or "none of the panels"
    raise Stop(f"Order {text} is known on {where}; write PANEL/{text}.", Exit.USAGE)


def _only_panel(panel: str | None, configuration: Configuration) -> str:
    panels = panels_of(configuration)
    if panel is not None or len(panels) == 1:
        return panel or panels[0]
    raise Stop(f"Say on which panel: --panel {' or '.join(panels)}.", Exit.USAGE)
