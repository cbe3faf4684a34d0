"""A worker as the status page in its process sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from smm_rules.cluster.following import Following
from smm_rules.daemon.progress import Progress
from smm_rules.observe.counters import Counters
from smm_rules.rules.loader import LoadedRules


@dataclass(frozen=True, slots=True)
class WorkingEngine:
    """See `web.engine.Engine`. Counters and progress are this worker's own, all else is everybody's."""

    counters: Counters
    following: Following
    progress: Progress
    act_soon: Callable[[], None]

    def rules(self) -> LoadedRules:
        return self.following.rules.loaded

    def stuck(self) -> tuple[str, ...]:
        return self.progress.stuck()

    def at_rest(self) -> Mapping[str, float]:
        return self.progress.at_rest()

    def unready(self) -> str:
        """Which panels this one has looked at says nothing: others may do all of the looking."""
        if self.following.generation is None:
            return "newer rules are in force than this machine's files have"
        return ""

    def changed(self) -> None:
        self.act_soon()
