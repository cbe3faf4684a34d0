"""What is outside this machine: hosts, panels with their keys, the time they show, and channels."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from smm_rules.cli.examination.finding import Finding, ok, problem, skipped, warning
from smm_rules.clock import Clock
from smm_rules.config.model import Configuration, PanelSettings
from smm_rules.config.secrets import SecretUnavailable
from smm_rules.daemon.parts import endpoint_of
from smm_rules.facts import format_duration
from smm_rules.notify.build import make_channel
from smm_rules.notify.channel import DeliveryFailed, Message
from smm_rules.notify.channels.apprise import AppriseMissing
from smm_rules.panel.client import PanelClient, RetryPolicy
from smm_rules.panel.errors import PanelError, RefusalReason, Rejected
from smm_rules.panel.transport import verified_tls

_DNS_SECONDS = 5.0
_DATE_SECONDS = 10.0
#: A look at how the panel is now, not whether patience would help.
_ONE_ATTEMPT = RetryPolicy(attempts=1)
#: A clock further off than this is told, one further off than that is wrong: holds, limits and TLS need it.
_CLOCK_OFF, _CLOCK_WRONG = timedelta(seconds=30), timedelta(minutes=5)
_TEST = "This is a test message of smm-rules doctor. If you can read it, the channel works."


async def examine_panels(
    configuration: Configuration, environment: Mapping[str, str], clock: Clock
) -> tuple[Finding, ...]:
    """Each panel's host, its balance by its key, and its clock; side by side. Nothing is changed."""
    found = await asyncio.gather(*(_panel(panel, environment, clock) for panel in configuration.panels))
    return tuple(finding for findings in found for finding in findings)


def unasked(configuration: Configuration) -> Iterator[Finding]:
    """What is said of hosts and panels when nobody is to be asked."""
    for panel in configuration.panels:
        yield skipped(f"host of {panel.name}", "--offline")
        yield skipped(f"panel {panel.name}", "--offline")


async def _panel(panel: PanelSettings, environment: Mapping[str, str], clock: Clock) -> list[Finding]:
    host = await _host(panel.name, panel.url)
    if host.is_fault:
        return [host, skipped(f"panel {panel.name}", "not asked: its host isn't found")]
    return [host, await _balance(panel, environment), *[one async for one in _clock(panel, clock)]]


async def _host(panel: str, url: str) -> Finding:
    host = urlsplit(url).hostname or ""
    subject = f"host of {panel}"
    try:
        async with asyncio.timeout(_DNS_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except TimeoutError:
        return problem(subject, f"no answer about {host} in {_DNS_SECONDS:.0f} s", "Look at /etc/resolv.conf")
    except (OSError, UnicodeError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        return problem(subject, f"{host}: {told}", "Look at the panel's `url`, and at the machine's DNS")
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
    return ok(subject, f"{host} is {', '.join(list(addresses)[:3])}")


async def _balance(panel: PanelSettings, environment: Mapping[str, str]) -> Finding:
    subject = f"panel {panel.name}"
    try:
        endpoint = endpoint_of(panel, environment)
    except SecretUnavailable:
        return skipped(subject, "not asked: its key can't be had here")
    try:
        async with PanelClient(endpoint, retries=_ONE_ATTEMPT) as client:
            balance = await client.balance()
    except Rejected as error:
        if error.reason is RefusalReason.INVALID_KEY:
            remedy = "Take the key from the panel's account page"
            return problem(subject, f"it refuses the key: {error}", remedy)
        return problem(subject, f"it refuses to tell the balance: {error}", "smm-rules check --live")
    except PanelError as error:
        remedy = "Look at the panel's `url` in a browser, then smm-rules check --live"
        return problem(subject, f"the balance can't be read: {error or type(error).__name__}", remedy)
    money = f"{balance.amount:f} {balance.currency or ''}".rstrip()
    return ok(subject, f"takes the key; the balance is {money}")


async def _clock(panel: PanelSettings, clock: Clock) -> AsyncIterator[Finding]:
    """How far this machine's clock is from the panel's; nothing where the panel shows no time."""
    shown, asked, answered = await _date_of(panel.url, clock)
    if shown is None:
        return
    # The header has whole seconds, and was written somewhere between the question and the answer.
    if asked - timedelta(seconds=1) <= shown <= answered:
        off = timedelta()
    else:
        off = asked - shown if shown < asked else shown - answered
    if off <= _CLOCK_OFF:
        return
    which = "ahead of" if shown < asked else "behind"
    by = format_duration(timedelta(seconds=round(off.total_seconds())))
    found = f"it is {by} {which} panel {panel.name}'s"
    remedy = "Set the clock, and let NTP keep it: holds, limits and TLS go by it"
    yield problem("clock", found, remedy) if off > _CLOCK_WRONG else warning("clock", found, remedy)


async def _date_of(url: str, clock: Clock) -> tuple[datetime | None, datetime, datetime]:
    """What a panel's server says the time is, asked without the key; and when it was asked and answered."""
    asked = clock.now()
    try:
        async with httpx.AsyncClient(verify=verified_tls(), trust_env=False, timeout=_DATE_SECONDS) as client:
            response = await client.head(url)
        shown = parsedate_to_datetime(response.headers["date"])
    except (httpx.HTTPError, KeyError, ValueError):
        return None, asked, clock.now()
    return (shown if shown.tzinfo is not None else None), asked, clock.now()


# -- channels -------------------------------------------------------------------------------------------
async def examine_channels(
    configuration: Configuration, environment: Mapping[str, str], now: datetime, *, send: bool
) -> tuple[Finding, ...]:
    """Whether each channel can be made ready; with `send` also whether it takes a test message."""
    found = [_channel(name, configuration, environment, now, send=send) for name in configuration.channels]
    return tuple(await asyncio.gather(*found))


async def _channel(
    name: str, configuration: Configuration, environment: Mapping[str, str], now: datetime, *, send: bool
) -> Finding:
    subject = f"channel {name}"
    settings = configuration.channels[name]
    try:
        channel = make_channel(name, settings, environment)
    except SecretUnavailable:
        return skipped(subject, "not made ready: its secret can't be had here")
    except (AppriseMissing, ValueError) as error:
        return problem(subject, str(error), "Mend it in the configuration, then smm-rules check")
    try:
        if not send:
            return ok(subject, f"{settings.type}, ready; no message was sent (--send sends one)")
        await channel.send(Message(f"doctor:{name}:{now.isoformat()}", "smm-rules", _TEST))
    except DeliveryFailed as error:
        return problem(subject, f"it didn't take a test message: {error}", f"smm-rules notify {name} --test")
    finally:
        await channel.aclose()
    return ok(subject, f"{settings.type}, took a test message")
