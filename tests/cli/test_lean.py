"""Libraries that do without rich where it can't be imported."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smm_rules.cli.lean import hollow, without


def test_what_is_blocked_is_missing_within_the_block_only() -> None:
    import rich

    with without("rich", "no_such_package"):
        with pytest.raises(ImportError):
            importlib.import_module("rich")
        with pytest.raises(ImportError):
            importlib.import_module("no_such_package")
        assert importlib.import_module("json") is json
    assert importlib.import_module("rich") is rich
    assert "no_such_package" not in sys.modules


def test_the_block_ends_with_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), without("rich"):
        _ = 1 / 0
    assert importlib.import_module("rich").__name__ == "rich"


def test_what_nobody_uses_has_a_stand_in_within_the_block_only() -> None:
    import multiprocessing

    with hollow():
        stand_in = importlib.import_module("multiprocessing")
        assert stand_in is not multiprocessing
        assert not hasattr(stand_in, "Process")
        assert hasattr(stand_in, "get_context")
    assert importlib.import_module("multiprocessing") is multiprocessing


def test_the_daemon_is_loaded_without_what_only_processes_archives_and_retries_need(tmp_path: Path) -> None:
    """It gets as far as its ledger, which is a directory."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "ledger.db").mkdir()
    configuration = tmp_path / "smm-rules.yaml"
    configuration.write_text(
        "panels: [{name: main, url: 'http://127.0.0.1:9/api', key: {env: KEY}}]\n"
        "rules: rules\nledger: ledger.db\n",
        encoding="utf-8",
    )
    program = (
        f"import sys; from smm_rules.cli.app import run; code = run(['run', '--config', '{configuration}']);"
        "heavy = {'multiprocessing', 'zipfile', 'bz2', 'lzma', 'colorama', 'stamina', 'difflib'};"
        "print(code, 'apscheduler' in sys.modules, sorted(heavy & set(sys.modules)))"
    )
    environment = {**os.environ, "KEY": "a-key"}
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=environment
    )
    assert told.stdout.splitlines()[-1:] == ["4 True []"], told.stderr
