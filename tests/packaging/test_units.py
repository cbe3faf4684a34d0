"""The systemd units, side by side; `systemd/verify` asks systemd itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"


def settings(name: str) -> set[str]:
    lines = (UNITS / name).read_text("utf-8").splitlines()
    return {line for line in lines if line and not line.startswith(("#", "["))}


def test_workers_are_held_as_the_daemon_is() -> None:
    """They differ in what they run, and in when they are started again; in nothing that keeps them in."""
    different = settings("smm-rules.service") ^ settings("smm-rules-worker@.service")
    assert {line.partition("=")[0] for line in different} == {
        "After",
        "Description",
        "Documentation",
        "ExecStart",
        "Restart",
        "RestartPreventExitStatus",
        "RuntimeDirectory",  # of each worker, so that the end of one takes no other's socket
        "StartLimitBurst",
        "StartLimitIntervalSec",
    }


def test_systemd_finds_no_fault_and_little_exposure() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze isn't installed")
    environment = {"PATH": os.environ["PATH"]}
    command = [str(UNITS / "verify")]
    verified = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stderr
    assert len(verified.stdout.splitlines()) == len(list(UNITS.glob("*.service")))
