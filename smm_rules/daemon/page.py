"""The status page in the daemon's process: kept up beside its work, and never in its way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from smm_rules.clock import Clock
from smm_rules.config.model import Configuration
from smm_rules.config.secrets import SecretUnavailable
from smm_rules.config.web import ListenAddress
from smm_rules.daemon.progress import Progress
from smm_rules.daemon.rules_in_force import RulesInForce
from smm_rules.daemon.work import Work
from smm_rules.ledger.opening import open_ledger
from smm_rules.ledger.port import LedgerError
from smm_rules.notify.operator import OperatorVoice, page_not_served
from smm_rules.observe import get_logger
from smm_rules.observe.counters import Counters
from smm_rules.polling.watch import PanelWatch
from smm_rules.rules.loader import LoadedRules
from smm_rules.web.engine import Engine

log = get_logger(__name__)

#: How long after a failure the page is tried again, in seconds of the machine's time.
RETRY_SECONDS = 30.0
_EXTRA = "the status page needs packages that aren't there; install them with: pip install 'smm-rules[web]'"


@dataclass(slots=True)
class RunningEngine:
    """The daemon as the page sees it; see `web.engine.Engine`."""

    counters: Counters
    in_force: RulesInForce
    progress: Progress
    watches: Mapping[str, PanelWatch]
    changed: Callable[[], None]

    def rules(self) -> LoadedRules:
        return self.in_force.loaded

    def stuck(self) -> tuple[str, ...]:
        return self.progress.stuck()

    def at_rest(self) -> Mapping[str, float]:
        return self.progress.at_rest()

    def unready(self) -> str:
        waiting = [name for name, watch in self.watches.items() if not watch.standing.tried]
        return f"not looked at yet: {', '.join(waiting)}" if waiting else ""


def status_page_of(work: Work, environment: Mapping[str, str], engine: Engine) -> StatusPage | None:
    """The page of a daemon or a worker, where the configuration says that it is served."""
    web = work.configuration.web
    if web is None or web.listen is None:
        return None
    return StatusPage(
        listen=web.listen,
        configuration=work.configuration,
        environment=environment,
        clock=work.clock,
        engine=engine,
        voice=work.parts.voice,
        started_at=work.started_at,
    )


@dataclass(slots=True)
class StatusPage:
    """Serves the page at `listen` until it is to stop.

    Whatever goes wrong with it is logged, told the operator once a run and tried again later. It has a
    connection of its own to the ledger, so that its reading doesn't stand before the daemon's writing.
    """

    listen: ListenAddress
    configuration: Configuration
    environment: Mapping[str, str]
    clock: Clock
    engine: Engine
    voice: OperatorVoice
    started_at: datetime
    serving: asyncio.Event = field(default_factory=asyncio.Event)
    address: ListenAddress | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping`: answers under way are finished. Never raises for what the page does."""
        while not stopping.is_set():
            try:
                await self._serve(stopping)
            except (LedgerError, SecretUnavailable, NotServed) as error:
                await self._tell(str(error))
            except Exception as error:
                log.exception("web.failed", address=str(self.listen), error=repr(error))
            self.serving.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), RETRY_SECONDS)

    async def _serve(self, stopping: asyncio.Event) -> None:
        try:
            from smm_rules.web.app import make_app
            from smm_rules.web.opening import make_site
            from smm_rules.web.server import ListenFailed, PageServer
        except ImportError as error:
            raise NotServed(_EXTRA) from error
        async with await open_ledger(self.configuration, self.environment) as ledger:
            site = make_site(self.configuration, self.environment, ledger, self.clock, self.engine)
            server = PageServer(make_app(site, self.listen), self.listen)
            try:
                await server.start()
            except ListenFailed as error:
                raise NotServed(str(error)) from error
            self.address = server.address
            log.info("web.serving", address=str(server.address))
            self.serving.set()
            await server.serve_until(stopping)

    async def _tell(self, error: str) -> None:
        log.error("web.not_served", address=str(self.listen), error=error)
        try:
            await self.voice.tell(page_not_served(error, self.started_at), self.clock.now())
        except LedgerError as failure:
            log.error("web.not_served", address=str(self.listen), error=str(failure))


class NotServed(Exception):
    """The page can't be served now. The message says why and what to do."""
