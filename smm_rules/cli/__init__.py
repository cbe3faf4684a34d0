"""The `smm-rules` command. One module a command group; `main` is the entry point."""

from smm_rules.cli.app import main

__all__ = ["main"]
