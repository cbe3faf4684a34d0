"""What a daemon in the same process tells the page of itself; without one the ledger alone speaks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from smm_rules.observe.counters import Counters
from smm_rules.rules.loader import LoadedRules


class Engine(Protocol):
    """A running daemon."""

    @property
    def counters(self) -> Counters: ...

    def rules(self) -> LoadedRules:
        """The rules in force."""
        ...

    def stuck(self) -> tuple[str, ...]:
        """Jobs that have stood still for too long."""
        ...

    def at_rest(self) -> Mapping[str, float]:
        """Seconds since each job last got on."""
        ...

    def unready(self) -> str:
        """What isn't there yet for the daemon to do its work; empty when everything is."""
        ...

    def changed(self) -> None:
        """Somebody gave a verdict or ended a stop: what follows from it needn't wait for its time."""
        ...
