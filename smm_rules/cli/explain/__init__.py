"""`smm-rules explain`: why a rule did or didn't act."""

from __future__ import annotations

from smm_rules.cli.explain.explaining import explain_command as command

__all__ = ["command"]
