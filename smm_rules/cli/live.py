"""The live part of `check`: every panel asked (read-only), every secret read. Nothing is changed anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from rich.console import Console

from smm_rules.cli.terminal import new_table, print_table, safe
from smm_rules.config.channels import ChannelSettings
from smm_rules.config.model import Configuration, PanelSettings
from smm_rules.config.secrets import SecretUnavailable
from smm_rules.daemon.parts import endpoint_of
from smm_rules.notify.build import make_channel
from smm_rules.notify.channels.apprise import AppriseMissing
from smm_rules.panel.client import CallReport, PanelClient, RetryPolicy
from smm_rules.panel.errors import PanelError

#: A check wants to know how the panel is now, not whether patience would help.
_ONE_ATTEMPT = RetryPolicy(attempts=1)


@dataclass(frozen=True, slots=True)
class PanelTrial:
    """One panel as it answered. `latency` is the time its balance took; `keyless` one was not asked."""

    panel: str
    url: str
    balance: Decimal | None = None
    currency: str | None = None
    services: int | None = None
    latency: timedelta | None = None
    error: str = ""
    keyless: bool = False


@dataclass(frozen=True, slots=True)
class ChannelTrial:
    """One channel, made ready but not used: no message is sent."""

    channel: str
    type: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Trials:
    """All panels and channels. `unavailable` names secrets and channels that can't be had at all."""

    panels: tuple[PanelTrial, ...]
    channels: tuple[ChannelTrial, ...]
    unavailable: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether a panel didn't answer or refused."""
        return any(panel.error and not panel.keyless for panel in self.panels)

    def print(self, console: Console) -> None:
        """A table of panels, then what is missing."""
        table = new_table("Panel", "Balance", "Services", "Latency", "Answer")
        for panel in self.panels:
            table.add_row(
                safe(panel.panel),
                safe(_money(panel)),
                "–" if panel.services is None else f"{panel.services:,}",
                "–" if panel.latency is None else f"{panel.latency.total_seconds() * 1000:.0f} ms",
                f"[red]{safe(panel.error)}[/]" if panel.error else "[green]ok[/]",
            )
        print_table(table)
        for channel in self.channels:
            state = f"[red]{safe(channel.error)}[/]" if channel.error else "[green]ready[/], nothing was sent"
            console.print(f"channel {safe(channel.channel)} ({safe(channel.type)}): {state}")

    def as_json(self) -> dict[str, object]:
        """For scripts: latency in milliseconds."""
        return {
            "panels": [
                {
                    "panel": panel.panel,
                    "url": panel.url,
                    "balance": panel.balance,
                    "currency": panel.currency,
                    "services": panel.services,
                    "milliseconds": None if panel.latency is None else round(panel.latency / _MILLISECOND),
                    "error": panel.error,
                }
                for panel in self.panels
            ],
            "channels": [
                {"channel": one.channel, "type": one.type, "error": one.error} for one in self.channels
            ],
        }


_MILLISECOND = timedelta(milliseconds=1)


async def try_all(configuration: Configuration, environment: Mapping[str, str]) -> Trials:
    """Ask every panel for balance and catalogue, side by side, and make every channel ready."""
    channels = [
        await _try_channel(name, settings, environment) for name, settings in configuration.channels.items()
    ]
    panels = await asyncio.gather(*(_try_panel(panel, environment) for panel in configuration.panels))
    unavailable = [channel.error for channel in channels if channel.error]
    unavailable += [panel.error for panel in panels if panel.keyless]
    return Trials(tuple(panels), tuple(channels), tuple(unavailable))


async def try_panels(configuration: Configuration, environment: Mapping[str, str]) -> Trials:
    """Ask every panel, and leave the channels alone."""
    panels = await asyncio.gather(*(_try_panel(panel, environment) for panel in configuration.panels))
    return Trials(tuple(panels), (), ())


async def _try_panel(panel: PanelSettings, environment: Mapping[str, str]) -> PanelTrial:
    try:
        endpoint = endpoint_of(panel, environment)
    except SecretUnavailable as error:
        return PanelTrial(panel.name, panel.url, error=str(error), keyless=True)
    calls: dict[str, CallReport] = {}

    def note(report: CallReport) -> None:
        calls[report.action] = report

    balance, services, failure = None, None, ""
    async with PanelClient(endpoint, retries=_ONE_ATTEMPT, on_call=note) as client:
        try:
            balance = await client.balance()
            services = len(await client.services())
        except PanelError as error:
            what = "balance" if balance is None else "catalogue"
            failure = f"{what}: {str(error) or type(error).__name__}"
    return PanelTrial(
        panel.name,
        panel.url,
        balance.amount if balance else None,
        balance.currency if balance else None,
        services,
        calls["balance"].elapsed if "balance" in calls else None,
        failure,
    )


async def _try_channel(name: str, settings: ChannelSettings, environment: Mapping[str, str]) -> ChannelTrial:
    try:
        channel = make_channel(name, settings, environment)
    except (SecretUnavailable, AppriseMissing, ValueError) as error:
        return ChannelTrial(name, settings.type, str(error))
    await channel.aclose()
    return ChannelTrial(name, settings.type)


def _money(panel: PanelTrial) -> str:
    if panel.balance is None:
        return "–"
    return f"{panel.balance:f} {panel.currency or ''}".rstrip()
