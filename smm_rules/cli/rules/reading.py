"""Which rules a command is about: those named, or those of the configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smm_rules.cli.context import read_configuration, rule_paths
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import RuleSet


def chosen_rules(paths: Sequence[Path], config_path: Path | None) -> RuleSet:
    """The rules in `paths`, else those that the configuration names."""
    return load_rules(tuple(paths) or rule_paths(read_configuration(config_path))).rules
