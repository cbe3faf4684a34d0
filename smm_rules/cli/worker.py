"""`smm-rules worker`: one of any number of workers on a PostgreSQL ledger, in the foreground."""

from __future__ import annotations

import os
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, read_configuration
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.tracing import traced
from smm_rules.daemon.parts import secrets_of
from smm_rules.garbage import look_seldom
from smm_rules.ledger.opening import access_to, stamp_of
from smm_rules.observe import configure_logging


@click.command("worker")
@config_option
@click.option(
    "--adopt-rules",
    is_flag=True,
    help="Put this machine's rules into force for all workers, even if newer ones have been.",
)
@asynchronous
async def command(config_path: Path | None, adopt_rules: bool) -> None:
    """Share the work on a ledger in PostgreSQL with other workers, on any number of machines.

    Every worker has the same configuration and rules. SIGTERM drains and stops it, SIGHUP reads the rules
    again.
    """
    look_seldom()
    configuration = read_configuration(config_path)
    configure_logging(
        configuration.logging.format, configuration.logging.level, secrets_of(configuration, os.environ)
    )
    access = access_to(configuration, os.environ)
    try:
        from smm_rules.cluster.worker import ClusterWorker, Place
    except ImportError as error:
        raise Stop(
            f"workers need packages that aren't installed: pip install 'smm-rules[cluster]' ({error})",
            Exit.CONFIGURATION,
        ) from error
    place = Place(access, stamp_of(configuration))
    worker = ClusterWorker(configuration, os.environ, place, adopt_rules=adopt_rules)
    worker.listen_to_signals()
    with traced(configuration, os.environ):
        await worker.run()
