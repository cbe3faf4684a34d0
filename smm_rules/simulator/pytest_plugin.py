"""The pytest fixture `smm_panel`: a running simulator for a test of yours.

    @pytest.mark.smm_panel(dialect="modern", scenario="steady:500")
    def test_something(smm_panel):
        ...

The marker takes any field of `SimulatorSettings`. Time stands still unless the test says `speed=` or calls
`smm_panel.advance()`. pytest loads this file in every run, so it imports the simulator only when asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from smm_rules.simulator import RunningSimulator, SimulatorSettings

_OPTION = "--smm-panel-dialect"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that chooses the dialect where a test doesn't."""
    parser.getgroup("smm-rules").addoption(
        _OPTION,
        choices=("classic", "modern"),
        default="classic",
        help="how the smm_panel fixture answers where a test's marker doesn't say (default: classic)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "smm_panel(dialect=..., scenario=..., **settings): how the smm_panel fixture's simulator behaves; "
        "takes every field of smm_rules.simulator.SimulatorSettings",
    )


@pytest.fixture
def smm_panel_settings(request: pytest.FixtureRequest) -> SimulatorSettings:
    """The settings of `smm_panel`, from the markers nearest to the test; override it for more."""
    from smm_rules.simulator import SimulatorSettings

    wanted: dict[str, object] = {"speed": 0.0, "dialect": request.config.getoption(_OPTION)}
    for marker in reversed(list(request.node.iter_markers("smm_panel"))):
        if marker.args:
            raise pytest.UsageError(f"{request.node.nodeid}: smm_panel takes named settings only")
        wanted |= marker.kwargs
    try:
        return SimulatorSettings(**wanted)  # type: ignore[arg-type]  # a wrong name or value is told below
    except (TypeError, ValueError) as error:
        raise pytest.UsageError(f"{request.node.nodeid}: smm_panel: {error}") from None


@pytest.fixture
def smm_panel(smm_panel_settings: SimulatorSettings) -> Iterator[RunningSimulator]:
    """A panel on a free loopback port, in a thread of its own, for one test."""
    from smm_rules.simulator import RunningSimulator

    with RunningSimulator(smm_panel_settings) as panel:
        yield panel
