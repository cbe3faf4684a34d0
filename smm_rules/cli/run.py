"""`smm-rules run`: the daemon in the foreground."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, read_configuration
from smm_rules.cli.lean import hollow, without
from smm_rules.garbage import look_seldom, nothing_is_garbage


@click.command("run")
@config_option
@asynchronous
async def command(config_path: Path | None) -> None:
    """Run the daemon: SIGTERM drains and stops it, SIGHUP reloads the rules."""
    look_seldom()
    # What libraries would bring for archives and for processes that nobody starts here: 1 MiB.
    with nothing_is_garbage(), without("bz2", "lzma"), hollow():
        configuration = read_configuration(config_path)
        # httpx would bring them for a command line of its own, structlog for tracebacks in colour and for
        # threads that are none: 5 MiB.
        with without("rich", "pygments", "greenlet", "colorama"):
            importlib.import_module("watchfiles")  # which the daemon needs later, and which is of their kind
            from smm_rules.daemon.daemon import Daemon
    from smm_rules.cli.tracing import traced
    from smm_rules.clock import SystemClock
    from smm_rules.daemon.parts import secrets_of
    from smm_rules.observe import configure_logging

    configure_logging(
        configuration.logging.format, configuration.logging.level, secrets_of(configuration, os.environ)
    )
    daemon = Daemon(configuration, os.environ, SystemClock())
    daemon.listen_to_signals()
    with traced(configuration, os.environ):
        await daemon.run()
