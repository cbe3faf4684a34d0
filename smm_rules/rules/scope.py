"""What rules may name of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """The configured panels, and each channel's type (apprise, webhook, email, log) by its name."""

    panels: frozenset[str]
    channels: Mapping[str, str]
