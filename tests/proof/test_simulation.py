"""The whole daemon in simulated worlds, each found again by its seed. Thousands more: see docs/proof.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.proof.sabotage import SABOTAGES

ROOT = Path(__file__).parents[2]
#: Worlds of every check; each is about two days long and meets every kind of trouble.
SEEDS = (1, 2, 3, 4, 5, 6)
#: Far above what a loaded machine needs.
PATIENCE = 400


def simulated(*arguments: str, zone: str = "UTC") -> list[dict[str, Any]]:
    """The verdicts of the program, and their sum last."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.proof.simulate", "--json", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0", "TZ": zone},
        stdout=subprocess.PIPE,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_trouble_doubles_or_loses_a_paid_action(seed: int) -> None:
    verdict, _ = simulated("--seed", str(seed), "--days", "2")

    assert verdict["wrong"] == []
    assert verdict["days"] >= 2
    assert sum(verdict["effects"].values()) > 10
    assert verdict["figures"]["doubts"] > 0
    deaths = verdict["counts"].get("kills", 0) + verdict["counts"].get("losses of power", 0)
    assert deaths > 5


@pytest.mark.timeout(PATIENCE)
def test_one_seed_is_one_run_whatever_the_time_zone() -> None:
    """A zone in which clocks are set forward and back changes nothing: every instant is UTC."""
    asked = ("--seed", "7", "--days", "0.7")
    [first, _], [second, _] = simulated(*asked), simulated(*asked, zone="America/Santiago")

    assert first["wrong"] == second["wrong"] == []
    assert first["trace"] == second["trace"]
    assert first["counts"] == second["counts"]
    [other, _] = simulated("--seed", "8", "--days", "0.7")
    assert other["trace"] != first["trace"]


@pytest.mark.timeout(PATIENCE)
def test_what_a_restored_ledger_has_forgotten_is_not_done_again() -> None:
    world = ("--seed", "1", "--days", "1.2", "--orders", "60")
    verdict, _ = simulated(*world, "--faults", "crash,restore")

    assert verdict["wrong"] == []
    assert verdict["counts"]["restores"] > 0
    assert verdict["counts"]["holds confirmed"] > 0
    assert verdict["figures"]["effects forgotten by a restore"] > 0


@pytest.mark.timeout(PATIENCE)
def test_in_calm_nothing_is_in_doubt_and_nothing_is_asked() -> None:
    verdict, _ = simulated("--seed", "1", "--days", "1", "--faults", "none")

    assert verdict["wrong"] == []
    assert verdict["figures"]["doubts"] == 0
    assert verdict["faults"] == {}


#: Those that show where there are several panels: see test_shops.
OF_SHOPS = {"hasty"}
#: The troubles that bring each sabotage to light, a world where they do, and what it is condemned for.
CONDEMNED = {
    "unsynced": ("crash,power", 5, ("LOST", "damaged")),
    "resend": ("network", 1, ("LOST", "DOUBLED")),
    "amnesia": ("crash", 1, ("LOST", "DOUBLED")),
    "silence": ("network", 1, ("nobody was told",)),
    "limitless": ("none", 2, ("over the chain",)),
    "spendthrift": ("none", 1, ("are allowed",)),
    "unheld": ("crash,restore", 2, ("FORGOTTEN", "DOUBLED")),
}


@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("sabotage", sorted(SABOTAGES.keys() - OF_SHOPS))
def test_the_judge_condemns_a_daemon_that_breaks_a_promise(sabotage: str) -> None:
    faults, seed, words = CONDEMNED[sabotage]
    world = ("--seed", str(seed), "--days", "1.2", "--orders", "60")
    verdict, _ = simulated(*world, "--faults", faults, "--sabotage", sabotage)

    assert any(word in wrong for wrong in verdict["wrong"] for word in words), verdict["wrong"]
