"""The guards in force, from the configuration."""

from __future__ import annotations

from smm_rules.config.guards import BreakerSettings, PanelGuards
from smm_rules.config.model import Configuration
from smm_rules.engine.guards import Bounds, Breaker, Guards


def guards_of(configuration: Configuration) -> Guards:
    """What the configuration bounds actions by."""
    total = configuration.guards
    return Guards(
        Bounds(
            spend=total.spend,
            actions=total.actions,
            share_of_orders=total.share_of_orders,
            breaker=_breaker(total.breaker),
        ),
        {panel.name: _bounds(panel.guards) for panel in configuration.panels},
    )


def _bounds(panel: PanelGuards) -> Bounds:
    return Bounds(
        panel.spend, panel.actions, panel.keep_balance, panel.share_of_orders, _breaker(panel.breaker)
    )


def _breaker(settings: BreakerSettings | None) -> Breaker | None:
    if settings is None:
        return None
    return Breaker(settings.errors, settings.refused, settings.of, settings.pause)
