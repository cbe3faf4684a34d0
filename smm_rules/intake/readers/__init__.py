"""Readers of orders: CSV, JSON Lines and YAML, each streaming, each keeping the good lines beside the bad."""

from smm_rules.intake.readers.json_lines import read_json_lines
from smm_rules.intake.readers.separated import read_separated
from smm_rules.intake.readers.yaml_list import read_yaml_list

__all__ = ["read_json_lines", "read_separated", "read_yaml_list"]
