"""Three panels that sell the same, in simulated worlds: all journals together know of one effect a firing."""

from __future__ import annotations

import pytest

from tests.proof.test_simulation import PATIENCE, simulated

#: Worlds in which panels fail while they are being ordered from, so that others take over.
SEEDS = (1, 5)


@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_firing_is_paid_for_on_two_panels(seed: int) -> None:
    verdict, _ = simulated("--seed", str(seed), "--days", "1.5", "--shops")

    assert verdict["wrong"] == []
    figures = verdict["figures"]
    assert figures["doubts"] > 0
    assert figures["reorders planned elsewhere after an end"] > 0
    assert all(figures[f"paid effects on {panel}"] > 0 for panel in ("north", "south", "east"))


@pytest.mark.timeout(PATIENCE)
def test_the_judge_condemns_a_daemon_that_goes_elsewhere_too_early() -> None:
    world = ("--seed", "1", "--days", "1.2", "--orders", "60", "--shops")
    verdict, _ = simulated(*world, "--faults", "network", "--sabotage", "hasty")

    assert any("DOUBLED over all panels" in wrong for wrong in verdict["wrong"]), verdict["wrong"]
