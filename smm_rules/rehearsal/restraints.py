"""What keeps rehearsed actions from being sent, besides what the rules state themselves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from smm_rules.actions.executor import DEFAULT_RATE_INCREASE
from smm_rules.config.model import Configuration
from smm_rules.engine.guards import NO_GUARDS, Guards
from smm_rules.engine.guards_set import guards_of
from smm_rules.matching.market import Market


@dataclass(frozen=True, slots=True)
class Restraints:
    """Guards, and how much dearer a service may be now for a reorder that states no bound (None: any)."""

    guards: Guards = NO_GUARDS
    rate_increase: Decimal | None = DEFAULT_RATE_INCREASE


#: Of other panels nothing is told in a rehearsal: the one that is chosen is the order's own.
_ALONE = Market(alone=True)
#: Those of a test that says nothing: it tries the rules alone.
RULES_ALONE = Restraints(Guards(market=_ALONE))


def restraints_of(configuration: Configuration) -> Restraints:
    """Those that the daemon has by this configuration."""
    guards = replace(guards_of(configuration), market=_ALONE)
    return Restraints(guards, configuration.guards.max_rate_increase)
