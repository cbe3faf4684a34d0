"""`smm-rules preview`: what a rule would send, without sending it."""

from __future__ import annotations

from smm_rules.cli.preview.previewing import preview_command as command

__all__ = ["command"]
