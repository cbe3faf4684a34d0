"""Everything the daemon is made of, built from the configuration; commands that don't poll use it too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from smm_rules.config.model import Configuration, PanelSettings
from smm_rules.ledger.opening import open_ledger
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.notify.build import channel_secrets, make_channel
from smm_rules.notify.channel import Channel
from smm_rules.notify.operator import OperatorVoice
from smm_rules.panel.budget import Turns
from smm_rules.panel.client import CallReport, PanelClient
from smm_rules.panel.endpoint import Endpoint
from smm_rules.rules.scope import scope_of as scope_of  # what the parts' rules are read with


@dataclass(frozen=True, slots=True)
class Parts:
    """The opened ledger, a client a panel, the channels and the voice that speaks to the operator."""

    ledger: SqlLedger
    clients: Mapping[str, PanelClient]
    channels: Mapping[str, Channel]
    voice: OperatorVoice


def secrets_of(configuration: Configuration, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Every secret's text, for the redaction of logs. `SecretUnavailable` when one can't be had."""
    referenced = (secret.read(environment) for secret in configuration.references)
    # A channel has more than it refers to: addresses that are secret in themselves.
    of_channels = (
        text
        for settings in configuration.channels.values()
        for text in channel_secrets(settings, environment)
    )
    return tuple(dict.fromkeys((*referenced, *of_channels)))


def endpoint_of(panel: PanelSettings, environment: Mapping[str, str]) -> Endpoint:
    """Where a panel is, with its key. `SecretUnavailable` when the key can't be had."""
    return Endpoint(
        name=panel.name,
        url=panel.url,
        key=panel.key.read(environment),
        requests_per_minute=panel.requests_per_minute,
        connections=panel.connections,
        timeout=panel.timeout,
    )


async def assemble(
    configuration: Configuration,
    environment: Mapping[str, str],
    stack: AsyncExitStack,
    on_call: Callable[[CallReport], None] | None = None,
) -> Parts:
    """Open and build every part; `stack` closes them in reverse order. `on_call` hears of every request.

    `SecretUnavailable` and `LedgerError` say what is missing.
    """
    endpoints = [endpoint_of(panel, environment) for panel in configuration.panels]
    ledger = await open_ledger(configuration, environment)
    stack.push_async_callback(ledger.aclose)
    return await put_together(configuration, environment, stack, ledger, endpoints, on_call)


async def put_together(
    configuration: Configuration,
    environment: Mapping[str, str],
    stack: AsyncExitStack,
    ledger: SqlLedger,
    endpoints: Sequence[Endpoint],
    on_call: Callable[[CallReport], None] | None = None,
    budget_of: Callable[[Endpoint], Turns | None] = lambda _: None,
) -> Parts:
    """The parts around an opened ledger. `budget_of` gives a budget that clients of other processes share."""
    channels: dict[str, Channel] = {}
    for name, settings in configuration.channels.items():
        channels[name] = make_channel(name, settings, environment)
        stack.push_async_callback(channels[name].aclose)
    clients = {
        endpoint.name: PanelClient(endpoint, on_call=on_call, budget=budget_of(endpoint))
        for endpoint in endpoints
    }
    for client in clients.values():
        stack.push_async_callback(client.aclose)
    operator = configuration.operator.channel if configuration.operator else None
    return Parts(ledger, clients, channels, OperatorVoice(ledger, operator, configuration.page_url))
