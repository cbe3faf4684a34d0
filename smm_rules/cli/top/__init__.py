"""`smm-rules top`: how everything stands, live in a terminal."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, read_configuration
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import output
from smm_rules.cli.top.frame import frame
from smm_rules.cli.top.showing import Screen
from smm_rules.cli.top.view import Viewer
from smm_rules.clock import SystemClock

#: The width and height of a frame that no terminal bounds.
_WIDTH, _HEIGHT = 120, 1_000


@click.command("top")
@click.option(
    "--every",
    "seconds",
    type=click.FloatRange(min=0.2, max=3600),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to look again.",
)
@click.option("--once", is_flag=True, help="Print how it stands now, whole, and end.")
@config_option
@asynchronous
async def command(seconds: float, once: bool, config_path: Path | None) -> None:
    """Show live how panels, orders, actions, rules, alerts and messages stand; what needs you comes first.

    It only looks. Keys: q quits, r looks again at once.
    """
    configuration = read_configuration(config_path)
    if not once and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Stop("It needs a terminal. --once prints how it stands now.", Exit.USAGE)
    async with open_existing(configuration) as ledger:
        viewer = Viewer(ledger, configuration, SystemClock())
        if once:
            console = output()
            width = console.width if sys.stdout.isatty() else _WIDTH
            for line in frame(await viewer.look(), width, _HEIGHT):
                console.print(line)
            return
        await Screen(viewer, timedelta(seconds=seconds)).run()
