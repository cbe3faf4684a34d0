"""The HTTP intake in the process of a daemon or a worker: kept up beside its work, and never in its way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from smm_rules.config.intake import HttpIntakeSettings
from smm_rules.config.secrets import SecretUnavailable
from smm_rules.config.web import ListenAddress
from smm_rules.daemon.page import RETRY_SECONDS, NotServed
from smm_rules.daemon.work import Work
from smm_rules.ledger.opening import open_ledger
from smm_rules.ledger.port import LedgerError
from smm_rules.notify.operator import intake_not_served
from smm_rules.observe import get_logger

log = get_logger(__name__)

_EXTRA = "the HTTP intake needs packages that aren't there; install them with: pip install 'smm-rules[web]'"


#: How often a worker looks whether the one that serves is gone, in seconds of the machine's time.
STANDBY_SECONDS = 2.0
_CONNECT_SECONDS = 1.0


def http_intake_of(work: Work, environment: Mapping[str, str], *, shared: bool = False) -> HttpIntake | None:
    """The intake of a daemon or a worker, where the configuration says that it is served.

    Of several workers on one machine, which `shared` stands for, one serves it; the others take its place.
    """
    settings = work.configuration.intake.http
    return None if settings is None else HttpIntake(settings, work, environment, shared)


@dataclass(slots=True)
class HttpIntake:
    """Serves the intake until it is to stop.

    Whatever goes wrong with it is logged, told the operator once a run and tried again later. It has a
    connection of its own to the ledger; what a program wants bought `work` carries out at once. One that is
    `shared` waits while another process serves it, until that is gone.
    """

    settings: HttpIntakeSettings
    work: Work
    environment: Mapping[str, str]
    shared: bool = False
    serving: asyncio.Event = field(default_factory=asyncio.Event)
    address: ListenAddress | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping`: answers under way are finished. Never raises for what the intake does."""
        while not stopping.is_set():
            pause = STANDBY_SECONDS if await self._stands_by() else await self._try(stopping)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)

    async def _try(self, stopping: asyncio.Event) -> float:
        """Serve until `stopping`, or until something goes wrong; how long to wait then, in seconds."""
        try:
            await self._serve(stopping)
        except (LedgerError, SecretUnavailable, NotServed) as error:
            if await self._stands_by():
                return STANDBY_SECONDS
            await self._tell(str(error))
        except Exception as error:
            log.exception("intake.http_failed", address=str(self.settings.listen), error=repr(error))
        finally:
            self.serving.clear()
        return RETRY_SECONDS

    async def _stands_by(self) -> bool:
        """Whether another worker serves it; that is said once."""
        if not self.shared or not await _is_served(self.settings.listen):
            return False
        address = str(self.settings.listen)
        standing = f"served on {address} by another worker"
        if self.work.http_intake != standing:
            log.info("intake.http_standby", address=address)
        self.work.http_intake = standing
        return True

    async def _serve(self, stopping: asyncio.Event) -> None:
        try:
            from smm_rules.receiving.app import make_app
            from smm_rules.receiving.reception import Host, make_reception
            from smm_rules.web.server import ListenFailed, PageServer
        except ImportError as error:
            raise NotServed(_EXTRA) from error
        work = self.work
        host = Host(work.counters, work.act_soon, work.progress.stuck)
        async with await open_ledger(work.configuration, self.environment) as ledger:
            reception = make_reception(
                work.configuration, self.settings, self.environment, ledger, work.clock, host
            )
            server = PageServer(make_app(reception), self.settings.listen)
            try:
                await server.start()
            except ListenFailed as error:
                raise NotServed(str(error)) from error
            self.address = server.address
            log.info("intake.http_serving", address=str(server.address))
            self.work.http_intake = f"served on {server.address}"
            self.serving.set()
            await server.serve_until(stopping)

    async def _tell(self, error: str) -> None:
        address = str(self.settings.listen)
        log.error("intake.http_not_served", address=address, error=error)
        self.work.http_intake = f"not served: {error}"
        try:
            told = intake_not_served(error, self.work.started_at)
            await self.work.parts.voice.tell(told, self.work.clock.now())
        except LedgerError as failure:
            log.error("intake.http_not_served", address=address, error=str(failure))


async def _is_served(listen: ListenAddress) -> bool:
    """Whether somebody listens there."""
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            if listen.path is not None:
                _, writer = await asyncio.open_unix_connection(str(listen.path))
            else:
                _, writer = await asyncio.open_connection(listen.host, listen.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
