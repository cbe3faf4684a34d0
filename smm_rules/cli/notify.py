"""`smm-rules notify CHANNEL --test`: one message through a configured channel."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, json_option, read_configuration
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.terminal import errors, output, print_json, safe
from smm_rules.clock import SystemClock
from smm_rules.config.model import Configuration
from smm_rules.document import did_you_mean
from smm_rules.notify.build import channel_secrets, make_channel
from smm_rules.notify.channel import Channel, DeliveryFailed, Message
from smm_rules.notify.channels.apprise import AppriseMissing
from smm_rules.notify.channels.webhook import WebhookChannel
from smm_rules.observe import configure_logging

_TEST = "This is a test message of smm-rules. If you can read it, the channel works."


@click.command("notify")
@click.argument("channel", metavar="CHANNEL")
@click.option("--test", is_flag=True, help="Send a test message.")
@click.option("--message", "-m", metavar="TEXT", help="Send this text instead.")
@click.option("--title", metavar="TEXT", default="smm-rules", show_default=True, help="Its title.")
@config_option
@json_option
@asynchronous
async def command(
    channel: str, test: bool, message: str | None, title: str, config_path: Path | None, as_json: bool
) -> int:
    """Send one message through a channel now, and say what the receiver answered.

    It goes past the ledger's outbox: one attempt, nothing is kept. Exit code 5 says it was not taken.
    """
    if not test and message is None:
        raise click.UsageError("Say --test for a test message, or --message TEXT")
    configuration = read_configuration(config_path)
    ready = _channel(channel, configuration)
    now = SystemClock().now()
    sent = Message(f"test:{channel}:{now.isoformat()}", title, message if message is not None else _TEST)
    began = time.monotonic()
    failure: DeliveryFailed | None = None
    try:
        await ready.send(sent)
    except DeliveryFailed as error:
        failure = error
    finally:
        await ready.aclose()
    milliseconds = round((time.monotonic() - began) * 1000)
    answer = ready.last_answer if isinstance(ready, WebhookChannel) and failure is None else ""
    return int(_tell(channel, failure, answer, milliseconds, as_json=as_json))


def _channel(name: str, configuration: Configuration) -> Channel:
    """The channel, made ready; `Stop` when there is none of that name or it can't be had."""
    settings = configuration.channels.get(name)
    if settings is None:
        known = configuration.channels
        way_out = did_you_mean(name, known) or f"Configured: {', '.join(known) or 'none'}."
        raise Stop(f'There is no channel "{name}" in the configuration. {way_out}', Exit.USAGE)
    # What a channel writes to the log is part of what this command has to say.
    logging = configuration.logging
    configure_logging(logging.format, logging.level, channel_secrets(settings, os.environ))
    try:
        return make_channel(name, settings, os.environ)
    except (AppriseMissing, ValueError) as error:
        raise Stop(str(error), Exit.CONFIGURATION) from None


def _tell(
    channel: str, failure: DeliveryFailed | None, answer: str, milliseconds: int, *, as_json: bool
) -> Exit:
    if as_json:
        print_json(
            {
                "channel": channel,
                "taken": failure is None,
                "answer": answer,
                "milliseconds": milliseconds,
                "error": "" if failure is None else str(failure),
                "permanent": failure is not None and failure.permanent,
                "retry_after": None if failure is None else failure.retry_after,
            }
        )
    elif failure is None:
        told = f": {answer}" if answer else ""
        output().print(f"Channel {safe(channel)} took the message in {milliseconds} ms{safe(told)}.")
    else:
        kind = "would refuse it again" if failure.permanent else "another try may help"
        errors().print(f"[bold red]error[/]: channel {safe(channel)}: {safe(failure)} ({kind})")
    return Exit.DONE if failure is None else Exit.PANEL
