"""What rules may name of the configuration, and what of it decides whether they can fire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smm_rules.config.model import Configuration


@dataclass(frozen=True, slots=True)
class Scope:
    """The configured panels, and each channel's type (apprise, webhook, email, log) by its name.

    `settle_after` is how long what has ended is still looked at, `spend_guarded` whether the configuration
    bounds what actions may cost; None where that isn't known. `services` is the mapping of equal services,
    read and checked along with the rules; None where there is none.
    """

    panels: frozenset[str]
    channels: Mapping[str, str]
    settle_after: timedelta | None = None
    spend_guarded: bool | None = None
    services: Path | None = None


def scope_of(configuration: Configuration) -> Scope:
    """The scope that a configuration gives."""
    panels = frozenset(panel.name for panel in configuration.panels)
    guarded = configuration.spend_is_guarded
    return Scope(
        panels, configuration.channel_types, configuration.settle_after, guarded, configuration.services
    )
