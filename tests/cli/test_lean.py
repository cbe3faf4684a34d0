"""Libraries that do without rich where it can't be imported."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

from smm_rules.cli.lean import without


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
