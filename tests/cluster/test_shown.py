"""The status page of a worker: served where it is configured, with the worker's own metrics."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from smm_rules.cluster.assembling import settings_digest
from smm_rules.cluster.worker import ClusterWorker, Place
from smm_rules.config.load import load_configuration
from smm_rules.config.model import Configuration
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.simulator import RunningSimulator
from smm_rules.standing.overview import gather

_CONFIGURATION = """\
panels:
  - name: main
    url: {url}
    key: {{env: PANEL_KEY}}
    requests_per_minute: 6000
channels: {{ops: {{log: {{}}}}}}
rules: rules.yaml
ledger: {ledger}
state_directory: state
reload: {{watch: false}}
web: {{listen: '127.0.0.1:{port}'}}
"""
_RULES = """\
rules:
  - name: short-of-money
    watch: balance
    when: amount < 1
    do: [{notify: {channel: ops, message: "little is left"}}]
"""


@pytest.fixture
def environment(smm_panel: RunningSimulator) -> dict[str, str]:
    return {"PANEL_KEY": smm_panel.key}


def _configuration(
    directory: Path, ledger: str, panel: RunningSimulator, environment: dict[str, str], port: int = 0
) -> Configuration:
    (directory / "rules.yaml").write_text(_RULES)
    (directory / "state").mkdir(exist_ok=True)
    written = directory / "smm-rules.yaml"
    written.write_text(_CONFIGURATION.format(url=panel.url, ledger=ledger, port=port))
    return load_configuration(written, environment)


@pytest.fixture
async def browser(
    tmp_path: Path, ledger_database: str, smm_panel: RunningSimulator, environment: dict[str, str]
) -> AsyncIterator[httpx.AsyncClient]:
    """Before the page of a running worker, which is asked to stop afterwards."""
    configuration = _configuration(tmp_path, ledger_database, smm_panel, environment)
    worker = ClusterWorker(configuration, environment, Place(Access(ledger_database)))
    running = asyncio.create_task(worker.run())
    await asyncio.wait({running, asyncio.create_task(worker.started.wait())}, return_when="FIRST_COMPLETED")
    assert not running.done(), running
    assert worker.page is not None
    await worker.page.serving.wait()
    async with httpx.AsyncClient(base_url=f"http://{worker.page.address}") as client:
        yield client
        worker.stop()
        await running
        with pytest.raises(httpx.ConnectError):
            await client.get("/")


async def test_a_worker_serves_the_page_until_it_stops(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/")
    assert page.status_code == 200
    assert "main" in page.text
    assert (await browser.get("/readyz")).status_code == 200


async def test_the_metrics_are_those_of_the_worker_and_of_the_ledger(browser: httpx.AsyncClient) -> None:
    metrics = (await browser.get("/metrics")).text
    assert 'smm_rules_intents{state="planned"} 0' in metrics


def test_where_workers_listen_is_no_difference_of_their_settings(
    tmp_path: Path, ledger_database: str, smm_panel: RunningSimulator, environment: dict[str, str]
) -> None:
    one, other = (
        _configuration(tmp_path, ledger_database, smm_panel, environment, port) for port in (8787, 8788)
    )
    assert settings_digest(one) == settings_digest(other)


async def test_the_workers_of_a_ledger_are_named(
    browser: httpx.AsyncClient, ledger_database: str, tmp_path: Path
) -> None:
    del browser  # one is at work
    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        [worker] = await ledger.workers()
        assert worker.startswith(f"{os.getpid()} on ")
        configuration = load_configuration(tmp_path / "smm-rules.yaml", {"PANEL_KEY": "key"})
        standing = await gather(ledger, configuration, datetime.now(UTC))
    assert standing.daemon.workers == (worker,)
    assert standing.daemon.process == worker


async def test_a_ledger_that_nobody_works_on_has_no_workers(ledger_database: str) -> None:
    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        assert await ledger.workers() == ()
