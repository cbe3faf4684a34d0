"""The law of keys: whatever comes at once, again, in doubt or after a restart, a key buys once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smm_rules.clock import Clock
from smm_rules.engine.firing import IntentDraft, MessageDraft
from smm_rules.engine.guards_set import guards_of
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Asked, DatedBalance, Intent, Received, Watched
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.receiving.app import make_app
from smm_rules.receiving.reception import Host, make_reception
from smm_rules.rules.model import RuleGuards
from tests.receiving.desk import ASKED, ENVIRONMENT, TOKEN, configure
from tests.web.shop import HandClock

BODIES = [ASKED | {"quantity": quantity} for quantity in (100, 200)]


#: What goes wrong with the ledger in the request that is under way in this task.
FAULT: ContextVar[str] = ContextVar("fault", default="")


class Request(NamedTuple):
    """One purchase asked for: at which of two servers, under which key, and how the ledger fails then."""

    server: int
    key: str
    body: int
    fault: str = ""


REQUESTS = st.builds(
    Request,
    st.integers(0, 1),
    st.sampled_from("ab"),
    st.integers(0, 1),
    st.sampled_from(["", "before", "after"]),
)
ROUNDS = st.lists(st.lists(REQUESTS, min_size=1, max_size=4), min_size=1, max_size=4)


@dataclass
class Flaky:
    """A ledger whose connection is lost before or after a purchase is durable, as each request says."""

    ledger: SqliteLedger

    async def received(self, client: str, key: str) -> Received | None:
        return await self.ledger.received(client, key)

    async def balance(self, panel: str) -> DatedBalance | None:
        return await self.ledger.balance(panel)

    async def watched(self, entity: object) -> Watched | None:
        return None

    async def purchase(
        self,
        draft: IntentDraft,
        asked: Asked,
        answer: Callable[[Intent], str],
        now: datetime,
        by: str,
        bounds: RuleGuards,
        told: Callable[[Intent], MessageDraft | None],
    ) -> Received:
        fault = FAULT.get()
        if fault == "before":
            raise LedgerError("the ledger can't be reached")
        done = await self.ledger.purchase(draft, asked, answer, now, by, bounds, told)
        if fault == "after":
            raise LedgerError("the connection to the ledger was lost")
        return done


class Shop:
    """Two servers on one ledger, and what they answered."""

    def __init__(self, directory: Path, ledgers: list[SqliteLedger]) -> None:
        self._directory = directory
        self._ledgers = ledgers
        self.answers: dict[str, bytes] = {}
        self.owners: dict[str, int] = {}
        self.restart()

    def restart(self) -> None:
        """New processes: nothing in memory is left."""
        configuration = configure(self._directory)
        http = configuration.intake.http
        assert http is not None
        clock: Clock = HandClock()
        self._programs = []
        for ledger in self._ledgers:
            flaky = Flaky(ledger)
            reception = make_reception(configuration, http, ENVIRONMENT, flaky, clock, Host())  # type: ignore[arg-type]  # no more is asked of it
            transport = httpx.ASGITransport(make_app(reception))
            headers = {"authorization": f"Bearer {TOKEN}"}
            self._programs.append(
                httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers)
            )

    async def ask(self, request: Request) -> None:
        """Ask, and hold the answer against all that were given before under the key."""
        FAULT.set(request.fault)
        answer = await self._programs[request.server].post(
            "/orders/place",
            json=BODIES[request.body],
            headers={"idempotency-key": request.key},
        )
        if answer.status_code == 202:
            assert answer.content == self.answers.setdefault(request.key, answer.content)
            assert request.body == self.owners.setdefault(request.key, request.body)
        elif answer.status_code == 422:
            assert answer.json()["type"] == "urn:smm-rules:problem:key-reused"
            assert request.body != self.owners.get(request.key, 1 - request.body)
        else:
            assert (answer.status_code, bool(request.fault)) == (503, True)


async def _trade(rounds: list[list[Request]], directory: Path) -> None:
    guards = guards_of(configure(directory))
    ledgers = [await SqliteLedger.open(directory / "ledger.db", guards=guards) for _ in range(2)]
    shop = Shop(directory, ledgers)
    for at_once in rounds:
        await asyncio.gather(*(shop.ask(request) for request in at_once))
        shop.restart()
    asked = {(request.key, request.body) for at_once in rounds for request in at_once}
    FAULT.set("")
    for key, body in sorted(asked):  # everybody asks again until nothing is in doubt
        await shop.ask(Request(0, key, body))
        await shop.ask(Request(1, key, body))
    intents = await ledgers[0].intents((), 100)
    assert len(intents) == len({key for key, _ in asked}) == len(shop.answers)
    for ledger in ledgers:
        await ledger.aclose()


@given(rounds=ROUNDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_key_buys_once_whatever_happens(rounds: list[list[Request]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(_trade(rounds, Path(directory)))
