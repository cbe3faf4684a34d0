"""`smm-rules demo`: the main job shown in under a minute."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click
from rich.table import Table

from smm_rules.cli.context import asynchronous
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.terminal import errors, output, print_json, safe
from smm_rules.observe import configure_logging

if TYPE_CHECKING:
    from smm_rules.demo.summary import Summary


@click.command("demo")
@click.option(
    "--speed", type=click.FloatRange(1, 600), default=60, show_default=True, help="How much faster than life."
)
@click.option(
    "--dialect",
    type=click.Choice(["classic", "modern"]),
    default="classic",
    show_default=True,
    help="How the panel answers.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep ledger, journal and rules in this directory.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the summary as JSON, for scripts.")
@asynchronous
async def command(speed: float, dialect: str, keep: Path | None, as_json: bool) -> int:
    """Run the daemon against the bundled panel simulator until three rules have done their work.

    Real HTTP on loopback and a real ledger, sped up so that a rule's `for: 10m` takes seconds. Ends with
    what the daemon's ledger says beside what the panel's own journal says.
    """
    demo = _demonstration()
    with ExitStack() as stack:
        if keep is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smm-rules-demo-")))
        else:
            keep.mkdir(mode=0o700, parents=True, exist_ok=True)
            if (keep / "ledger.db").exists():
                raise Stop(f"{keep} holds an earlier demonstration; name another directory", Exit.USAGE)
            directory = keep
        configure_logging("console", "info")
        began = time.monotonic()
        summary = await demo.run_demo(directory, demo.DemoSettings(speed=speed, dialect=dialect), os.environ)
        seconds = time.monotonic() - began
    if as_json:
        print_json(
            {
                "good": summary.good,
                "seconds": round(seconds, 1),
                "requests": summary.requests,
                "rules": [
                    {"rule": r.rule, "actions": r.actions, "messages": r.messages} for r in summary.rules
                ],
                "comparisons": [
                    {"what": c.what, "ledger": c.ledger, "panel": c.panel, "agrees": c.agrees}
                    for c in summary.comparisons
                ],
            }
        )
    else:
        show(summary, seconds, keep)
    return int(Exit.DONE if summary.good else Exit.FAILED)


def _demonstration() -> ModuleType:
    """The demonstration's module, or an error that says what to install."""
    from smm_rules.simulator import SimulatorUnavailable

    try:
        from smm_rules.demo import demo
    except SimulatorUnavailable as missing:
        raise Stop(f"The demonstration needs the simulator: {missing}") from None
    return demo


def show(summary: Summary, seconds: float, kept: Path | None) -> None:
    """The summary as tables."""
    console = output()
    rules = Table(title="What the rules did", title_justify="left", expand=False)
    for heading in ("rule", "actions", "messages"):
        rules.add_column(heading)
    for rule in summary.rules:
        actions = "\n".join(safe(action) for action in rule.actions)
        rules.add_row(rule.rule, actions, "\n".join(safe(message) for message in rule.messages))
    console.print(rules)
    sides = Table(title="Two accounts of it", title_justify="left", expand=False)
    for heading in ("", "the daemon's ledger", "the panel's journal", ""):
        sides.add_column(heading)
    for item in summary.comparisons:
        verdict = "[green]agrees[/]" if item.agrees else "[bold red]differs[/]"
        sides.add_row(item.what, safe(item.ledger), safe(item.panel), verdict)
    console.print(sides)
    if summary.good:
        console.print(
            f"[green]All three rules fired[/] in {seconds:.0f} s over {summary.requests} real HTTP requests."
        )
    else:
        errors().print("[bold red]The demonstration did not come to its end:[/] see what differs above.")
    if kept is not None:
        console.print(f"Look around: smm-rules intents list --config {safe(kept / 'smm-rules.yaml')}")
