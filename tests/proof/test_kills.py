"""Real daemons, killed two hundred times. Ten thousand: `python -m tests.proof.kills --kills 10000`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = 200


@pytest.mark.timeout(600)
def test_two_hundred_kills_double_nothing_and_lose_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.proof.kills", "--kills", str(KILLS)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    toll = json.loads(done.stdout)

    assert toll["wrong"] == []
    assert (toll["kills"], toll["doubled"], toll["lost"], toll["untold"]) == (KILLS, 0, 0, 0)
    assert toll["aimed"] > 0
    assert toll["in_doubt"] > 0
    assert toll["paid_effects"] > toll["in_doubt"]
