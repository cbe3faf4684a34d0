"""The back ends that the contract suite holds to: a further one adds a factory here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from smm_rules.engine.guards import NO_GUARDS, Guards
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.ledger.sqlite import SqliteLedger

#: Opens the same ledger again each time it is called, as another process would; guards may be given.
Opener = Callable[..., Awaitable[Ledger]]


def _sqlite(request: pytest.FixtureRequest) -> Opener:
    directory: Path = request.getfixturevalue("tmp_path")

    def open_(guards: Guards = NO_GUARDS) -> Awaitable[Ledger]:
        return SqliteLedger.open(directory / "ledger.db", guards=guards)

    return open_


def _postgres(request: pytest.FixtureRequest) -> Opener:
    access = Access(request.getfixturevalue("ledger_database"))
    directory: Path = request.getfixturevalue("tmp_path")

    def open_(guards: Guards = NO_GUARDS) -> Awaitable[Ledger]:
        return PostgresLedger.open(access, directory / "ledger", guards)

    return open_


BACK_ENDS: dict[str, Callable[[pytest.FixtureRequest], Opener]] = {
    "sqlite": _sqlite,
    "postgres": _postgres,
}


@pytest.fixture(params=sorted(BACK_ENDS))
def open_ledger(request: pytest.FixtureRequest) -> Opener:
    return BACK_ENDS[request.param](request)


@pytest.fixture
async def ledger(open_ledger: Opener) -> AsyncIterator[Ledger]:
    opened = await open_ledger()
    yield opened
    await opened.aclose()
