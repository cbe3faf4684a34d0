"""`smm-rules web`: the status page from the ledger alone, and the password for its buttons."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from smm_rules.cli.context import asynchronous, config_option, read_configuration
from smm_rules.cli.exits import Exit, Stop
from smm_rules.cli.group import Group
from smm_rules.cli.stored import open_existing
from smm_rules.cli.terminal import errors, output, safe
from smm_rules.clock import SystemClock
from smm_rules.config.model import Configuration
from smm_rules.config.web import ListenAddress, WebSettings, exposed, parse_listen
from smm_rules.daemon.parts import secrets_of
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.observe import configure_logging

_DEFAULT = ListenAddress("127.0.0.1", 8787)
_EXTRA = "The status page needs packages that aren't there; install them with: pip install 'smm-rules[web]'"


@click.group("web", cls=Group, invoke_without_command=True)
@click.option(
    "--listen", metavar="ADDRESS", help=f"HOST:PORT or unix:PATH. Default: {_DEFAULT}, never `web.listen`."
)
@config_option
@click.pass_context
def command(context: click.Context, listen: str | None, config_path: Path | None) -> None:
    """Serve the status page from the ledger, beside a daemon or without one, until it is interrupted.

    With `web: {listen: …}` in the configuration the daemon serves it itself, and its /metrics and /healthz
    then tell of its inner life, too.
    """
    if context.invoked_subcommand is None:
        _serve_page(listen, config_path)


@asynchronous
async def _serve_page(listen: str | None, config_path: Path | None) -> None:
    configuration = read_configuration(config_path)
    address = _address(listen, configuration)
    configure_logging(
        configuration.logging.format, configuration.logging.level, secrets_of(configuration, os.environ)
    )
    async with open_existing(configuration) as ledger:
        serve = await _prepared(configuration, ledger, address)
        await serve()


def _address(listen: str | None, configuration: Configuration) -> ListenAddress:
    if listen is None:
        return _DEFAULT
    try:
        address = parse_listen(listen)
    except ValueError as error:
        raise click.BadParameter(f"{listen!r} {error}", param_hint="--listen") from None
    missing = exposed(address, configuration.web or WebSettings())
    if missing:
        raise Stop(f"Others than this machine can reach {address}: {missing}.", Exit.CONFIGURATION)
    return address


async def _prepared(
    configuration: Configuration, ledger: SqlLedger, address: ListenAddress
) -> Callable[[], Awaitable[None]]:
    """What serves until a signal comes; `Stop` when the page can't be served."""
    try:
        from smm_rules.web.app import make_app
        from smm_rules.web.opening import make_site
        from smm_rules.web.server import ListenFailed, PageServer
    except ImportError:
        raise Stop(_EXTRA) from None
    site = make_site(configuration, os.environ, ledger, SystemClock())
    server = PageServer(make_app(site, address), address)
    try:
        await server.start()
    except ListenFailed as error:
        raise Stop(f"{error}.") from None

    async def serve() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        where = server.address
        shown = str(where) if where.path is not None else f"http://{where}/"
        output().print(f"The status page is at [bold]{safe(shown)}[/]. Ctrl-C stops it.")
        sys.stdout.flush()
        if site.login is None:
            errors().print("It is for reading alone: the configuration names no web.login.")
        try:
            await stopped.wait()
        finally:
            await server.stop()

    return serve


@command.command("password")
def password() -> None:
    """Make the hash of a password, for `web: {login: {user: …, password_hash: …}}`.

    The password is asked for, or read from standard input, a line. Only its hash is written.
    """
    try:
        from smm_rules.web.password import hash_password
    except ImportError:
        raise Stop(_EXTRA) from None
    if sys.stdin.isatty():
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    try:
        written = hash_password(given)
    except ValueError as error:
        raise Stop(f"{str(error)[:1].upper()}{str(error)[1:]}.", Exit.USAGE) from None
    click.echo(written)
