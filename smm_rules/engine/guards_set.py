"""The guards in force, from the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from smm_rules.config.guards import BreakerSettings, GuardSettings, PanelGuards
from smm_rules.config.model import Configuration
from smm_rules.engine.guards import Bounds, Breaker, Guards
from smm_rules.matching.market import market_of


def guards_of(configuration: Configuration) -> Guards:
    """What the configuration bounds actions by. Reads the mapping of equal services, if there is one."""
    panels = {panel.name: panel.guards for panel in configuration.panels}
    return replace(guards_from(configuration.guards, panels), market=market_of(configuration))


def guards_from(total: GuardSettings, panels: Mapping[str, PanelGuards]) -> Guards:
    """Guards over everything and over single panels, from the settings of both."""
    return Guards(
        Bounds(
            spend=total.spend,
            actions=total.actions,
            share_of_orders=total.share_of_orders,
            breaker=_breaker(total.breaker),
        ),
        {name: _bounds(guards) for name, guards in panels.items()},
    )


def _bounds(panel: PanelGuards) -> Bounds:
    return Bounds(
        panel.spend, panel.actions, panel.keep_balance, panel.share_of_orders, _breaker(panel.breaker)
    )


def _breaker(settings: BreakerSettings | None) -> Breaker | None:
    if settings is None:
        return None
    return Breaker(settings.errors, settings.refused, settings.of, settings.pause)
