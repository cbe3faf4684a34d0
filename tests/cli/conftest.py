"""Every command test starts in an empty directory of its own, with no settings from outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an environment without settings and systemd."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("SMM_RULES_") or name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "NORTH_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setattr("smm_rules.cli.context.SYSTEM_CONFIG", tmp_path / "etc" / "smm-rules.yaml")
    return tmp_path
