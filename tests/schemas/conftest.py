"""The empty directory that command tests start in."""

from tests.cli.conftest import here

__all__ = ["here"]
