"""A panel to try, test and benchmark against, sharing no code with the daemon.

It speaks API v2 on real HTTP in two dialects, makes orders fare by a seeded script, fails on demand, and
keeps its own journal of what it was asked and did. The names below are the public kit; each is loaded when
first used, and those that need a server ask for the extra `smm-rules[simulator]` then.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smm_rules.simulator.catalogue import AfterPartial, Service, ServiceType, default_services
    from smm_rules.simulator.clock import PanelClock, SimulatorClock
    from smm_rules.simulator.course import Course, Script, straight
    from smm_rules.simulator.faults import Fault, FaultRate, Faults
    from smm_rules.simulator.journal import Entry, Journal, Kind
    from smm_rules.simulator.samples import sample_parameters
    from smm_rules.simulator.scenarios import SCENARIOS
    from smm_rules.simulator.server import RunningSimulator, serve
    from smm_rules.simulator.settings import DEFAULT_KEY, AccountSettings, DialectName, SimulatorSettings
    from smm_rules.simulator.simulator import PlacedOrder, PlacedRefill, Simulator
    from smm_rules.simulator.statuses import RefillStatus, Status

__all__ = [
    "DEFAULT_KEY",
    "SCENARIOS",
    "AccountSettings",
    "AfterPartial",
    "Course",
    "DialectName",
    "Entry",
    "Fault",
    "FaultRate",
    "Faults",
    "Journal",
    "Kind",
    "PanelClock",
    "PlacedOrder",
    "PlacedRefill",
    "RefillStatus",
    "RunningSimulator",
    "Script",
    "Service",
    "ServiceType",
    "Simulator",
    "SimulatorClock",
    "SimulatorSettings",
    "SimulatorUnavailable",
    "Status",
    "default_services",
    "sample_parameters",
    "serve",
    "straight",
]

_HOMES = {
    "catalogue": ("AfterPartial", "Service", "ServiceType", "default_services"),
    "clock": ("PanelClock", "SimulatorClock"),
    "course": ("Course", "Script", "straight"),
    "faults": ("Fault", "FaultRate", "Faults"),
    "journal": ("Entry", "Journal", "Kind"),
    "samples": ("sample_parameters",),
    "scenarios": ("SCENARIOS",),
    "server": ("RunningSimulator", "serve"),
    "settings": ("DEFAULT_KEY", "AccountSettings", "DialectName", "SimulatorSettings"),
    "simulator": ("PlacedOrder", "PlacedRefill", "Simulator"),
    "statuses": ("RefillStatus", "Status"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_EXTRA = frozenset({"starlette", "uvicorn", "h11", "anyio"})


class SimulatorUnavailable(ImportError):
    """The packages the simulator's server needs aren't installed."""


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f"{__name__}.{home}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise SimulatorUnavailable(
            f"the simulator needs {error.name}, which isn't installed: pip install 'smm-rules[simulator]'"
        ) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
