"""`smm-rules simulate`: a panel to try rules against."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.terminal import output, print_json, safe
from smm_rules.panel.endpoint import is_loopback

if TYPE_CHECKING:
    from smm_rules.simulator import RunningSimulator, SimulatorSettings

_KEY_VARIABLE = "SIMULATOR_KEY"
_SNIPPET = """\
panels:
  - name: simulator
    url: {url}
    key: {{env: {variable}}}
"""


def _money(_: click.Context, __: click.Parameter, value: str | None) -> Decimal | None:
    """The amount written in `value`."""
    if value is None:
        return None
    try:
        amount = Decimal(value)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise click.BadParameter(f"{value!r} is no amount of money")
    return amount


@click.command("simulate")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where it listens, on this machine.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8787, show_default=True, help="0 takes a free one."
)
@click.option(
    "--dialect",
    type=click.Choice(["classic", "modern"]),
    default="classic",
    show_default=True,
    help="How it answers.",
)
@click.option(
    "--scenario",
    default="mission",
    show_default=True,
    help="What it starts with: empty, mission, all-types, steady:N or moving:N.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed, the same answers.")
@click.option(
    "--speed", type=click.FloatRange(min=0), default=1.0, show_default=True, help="Panel seconds a second."
)
@click.option(
    "--balance",
    metavar="AMOUNT",
    callback=_money,
    help="The money on the account; by default the scenario's.",
)
@click.option("--key", help="The account's API key; by default a fixed one.")
@click.option(
    "--rate-limit", type=click.IntRange(min=1), metavar="N", help="At most N requests a panel minute."
)
@click.option(
    "--fault",
    "--faults",
    "faults",
    multiple=True,
    metavar="ACTION=FAULT:SHARE",
    help="Let requests fail, such as add=close_after_effect:0.05; * is every action. May be repeated.",
)
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append all that it is asked and does to this file.",
)
@click.option("--json", "as_json", is_flag=True, help="Write where it is as JSON, for scripts.")
def command(
    host: str,
    port: int,
    dialect: str,
    scenario: str,
    seed: int,
    speed: float,
    balance: Decimal | None,
    key: str | None,
    rate_limit: int | None,
    faults: Sequence[str],
    journal: Path | None,
    as_json: bool,
) -> None:
    """Run a panel that speaks API v2 on this machine, until it is interrupted.

    Orders fare by a seeded script, no money is real, and its journal says what it was asked. See
    docs/simulator.md.
    """
    if not is_loopback(host):
        raise Stop(
            f"--host {host} is not this machine: the simulator is for 127.0.0.1, ::1 or localhost.",
            Exit.USAGE,
        )
    from smm_rules.simulator import SimulatorUnavailable

    try:
        from smm_rules.simulator import FaultRate, SimulatorSettings, serve
    except SimulatorUnavailable as missing:
        raise Stop(f"{missing}") from None
    try:
        settings = SimulatorSettings(
            host=host,
            port=port,
            dialect=dialect,  # type: ignore[arg-type]  # plain text is taken too
            scenario=scenario,
            seed=seed,
            speed=speed,
            requests_per_minute=rate_limit,
            faults=tuple(FaultRate.parse(fault) for fault in faults),
            journal=journal,
        )
        serve(_with_account(settings, key, balance), on_ready=lambda panel: _tell(panel, as_json))
    except ValueError as error:
        raise Stop(f"{error}", Exit.USAGE) from None
    except OSError as error:
        raise Stop(f"The simulator can't run at {host}:{port}: {error.strerror or error}.") from None


def _with_account(settings: SimulatorSettings, key: str | None, balance: Decimal | None) -> SimulatorSettings:
    account = settings.accounts[0]
    if key is not None:
        account = replace(account, key=key)
    if balance is not None:
        account = replace(account, balance=balance)
    return replace(settings, accounts=(account,))


def _tell(panel: RunningSimulator, as_json: bool) -> None:
    """Where it is and how to use it, written out at once: a script waits for it."""
    if as_json:
        print_json(
            {
                "url": panel.url,
                "key": panel.key,
                "control": f"{panel.base_url}/control",
                "journal": panel.settings.journal,
                "scenario": panel.settings.scenario,
            }
        )
    else:
        console = output()
        console.print(f"The panel answers at [bold]{panel.url}[/] with the key [bold]{safe(panel.key)}[/]")
        console.print("In a configuration (smm-rules.yaml):\n")
        console.print(safe_lines(_SNIPPET.format(url=panel.url, variable=_KEY_VARIABLE)))
        console.print(f"and in the environment: export {_KEY_VARIABLE}={safe(panel.key)}")
        if panel.settings.journal is not None:
            console.print(f"Its journal: {safe(panel.settings.journal)}")
        console.print("Ctrl-C stops it.")
    sys.stdout.flush()


def safe_lines(text: str) -> str:
    """Several lines, each fit for output."""
    return "\n".join(safe(line) for line in text.splitlines())
