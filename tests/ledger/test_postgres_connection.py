"""A PostgreSQL ledger whose server goes away: what was under way is done once, or is known not to be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.ledger.postgres.errors import CommitInDoubt
from smm_rules.ledger.records import Asked, IntentState
from smm_rules.rules.model import StepKind
from tests.ledger.builders import DAY, MINUTE, NOTHING, T0, draft, ended, message, new_order, order, plan
from tests.postgres.fixtures import create_database, drop_database
from tests.postgres.proxy import CUT_AFTER, CUT_BEFORE, Proxy, at_commit
from tests.postgres.server import Server

SHORT = timedelta(milliseconds=300)


@pytest.fixture
def proxy(ledger_database: str) -> Iterator[Proxy]:
    made = Proxy(ledger_database)
    yield made
    made.close()


@pytest.fixture
async def ledger(proxy: Proxy, tmp_path: Path) -> AsyncIterator[PostgresLedger]:
    async with await PostgresLedger.open(Access(proxy.url), tmp_path / "ledger") as opened:
        yield opened


@pytest.fixture
async def impatient(proxy: Proxy, tmp_path: Path) -> AsyncIterator[PostgresLedger]:
    async with await PostgresLedger.open(Access(proxy.url), tmp_path / "ledger", patience=SHORT) as opened:
        yield opened


async def test_a_read_goes_on_over_a_cut_connection(ledger: PostgresLedger, proxy: Proxy) -> None:
    assert await ledger.track([new_order(1)], T0) == 1
    assert await ledger.order(order(1)) is not None
    proxy.cut()
    assert await ledger.order(order(1)) is not None


@pytest.mark.parametrize("verdict", [CUT_BEFORE, CUT_AFTER])
async def test_a_claim_cut_at_its_commit_is_made_once(
    ledger: PostgresLedger, proxy: Proxy, verdict: str
) -> None:
    intent_id = await plan(ledger)
    proxy.verdict = at_commit(verdict)
    assert await ledger.claim(intent_id, "d1", T0 + MINUTE, {"balance": "4"}) is True
    intent = await ledger.intent(intent_id)
    assert intent is not None
    assert (intent.state, intent.attempts, intent.evidence) == (IntentState.SENDING, 1, {"balance": "4"})
    assert [change.after for change in await ledger.transitions(intent_id)] == ["planned", "sending"]
    assert (await ledger.verify_audit()).fault is None


@pytest.mark.parametrize("verdict", [CUT_BEFORE, CUT_AFTER])
async def test_an_outcome_cut_at_its_commit_is_written_once(
    ledger: PostgresLedger, proxy: Proxy, verdict: str
) -> None:
    intent_id = await plan(ledger)
    assert await ledger.claim(intent_id, "d1", T0 + MINUTE, {})
    proxy.verdict = at_commit(verdict)
    settled = await ledger.settle(
        intent_id, ended(IntentState.CONFIRMED, result="9"), NOTHING, T0 + MINUTE, "d1"
    )
    assert (settled.state, settled.result) == (IntentState.CONFIRMED, "9")
    assert len(await ledger.transitions(intent_id)) == 3


@pytest.mark.parametrize("verdict", [CUT_BEFORE, CUT_AFTER])
async def test_a_message_cut_at_its_commit_is_queued_once(
    ledger: PostgresLedger, proxy: Proxy, verdict: str
) -> None:
    proxy.verdict = at_commit(verdict)
    await ledger.enqueue(message("k"), T0)
    assert [one.dedup_key for one in await ledger.deliverable(T0, 10)] == ["k"]


async def _buy(ledger: PostgresLedger) -> str:
    asked = Asked("shop", "digest", "order-77")
    wanted = draft("http.1", StepKind.ADD)
    done = await ledger.purchase(wanted, asked, lambda intent: f"intent {intent.id}", T0, "http:shop")
    return done.answer


@pytest.mark.parametrize("verdict", [CUT_BEFORE, CUT_AFTER])
async def test_a_purchase_cut_at_its_commit_is_planned_once(
    ledger: PostgresLedger, proxy: Proxy, verdict: str
) -> None:
    proxy.verdict = at_commit(verdict)
    answer = await _buy(ledger)
    assert await _buy(ledger) == answer
    assert [f"intent {intent.id}" for intent in await ledger.intents((), 10)] == [answer]


@pytest.mark.parametrize("verdict", [CUT_BEFORE, CUT_AFTER])
async def test_a_purchase_that_may_have_been_planned_is_asked_for_again_and_is_one(
    impatient: PostgresLedger, proxy: Proxy, verdict: str
) -> None:
    proxy.verdict = at_commit(verdict)
    proxy.away = True
    with pytest.raises(CommitInDoubt, match="whether it was isn't known"):
        await _buy(impatient)
    proxy.away = False
    answer = await _buy(impatient)
    assert [f"intent {intent.id}" for intent in await impatient.intents((), 10)] == [answer]


@pytest.mark.parametrize("verdict", [CUT_BEFORE, CUT_AFTER])
async def test_a_claim_that_may_have_been_written_is_taken_back(
    impatient: PostgresLedger, proxy: Proxy, verdict: str
) -> None:
    intent_id = await plan(impatient)
    proxy.verdict = at_commit(verdict)
    proxy.away = True
    with pytest.raises(CommitInDoubt, match="whether it was isn't known"):
        await impatient.claim(intent_id, "d1", T0 + MINUTE, {})
    proxy.away = False
    [again] = await impatient.claimable(T0 + DAY, 10)
    assert (again.id, again.state, again.attempts, again.owner) == (intent_id, IntentState.PLANNED, 0, "")


async def test_a_claim_of_somebody_else_is_left_alone(
    impatient: PostgresLedger, proxy: Proxy, ledger_database: str
) -> None:
    intent_id = await plan(impatient)
    proxy.verdict = at_commit(CUT_BEFORE)
    proxy.away = True
    with pytest.raises(CommitInDoubt):
        await impatient.claim(intent_id, "d1", T0 + MINUTE, {})
    async with await PostgresLedger.open(Access(ledger_database)) as other:
        assert await other.claim(intent_id, "d2", T0 + MINUTE, {})
    proxy.away = False
    assert await impatient.claimable(T0 + DAY, 10) == ()
    intent = await impatient.intent(intent_id)
    assert intent is not None
    assert (intent.state, intent.owner) == (IntentState.SENDING, "d2")


async def test_a_server_that_stays_away_is_told_of(impatient: PostgresLedger, proxy: Proxy) -> None:
    proxy.away = True
    proxy.cut()
    with pytest.raises(LedgerError, match=r"the server can't be reached .*; see that the server runs"):
        await impatient.track([new_order(1)], T0)
    proxy.away = False
    assert await impatient.track([new_order(1)], T0) == 1


async def test_a_session_that_the_server_ends_in_the_middle_is_done_again(
    ledger: PostgresLedger, ledger_database: str
) -> None:
    ended_once = False

    def insert(connection: object) -> int:
        nonlocal ended_once
        if not ended_once:
            ended_once = True
            with psycopg.connect(ledger_database, autocommit=True) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE state = 'idle in transaction' AND datname = current_database()"
                )
        rows = connection.execute("SELECT 7", ()).fetchall()  # type: ignore[attr-defined]
        return int(rows[0][0])

    assert await ledger._transactions.write(insert) == 7
    assert ended_once


@pytest.mark.parametrize("end", [Server.stop, Server.kill], ids=["stopped", "killed"])
async def test_it_goes_on_once_the_server_is_back(
    postgres_of_its_own: Server, tmp_path: Path, end: object
) -> None:
    server = postgres_of_its_own
    create_database(server, "mine")
    async with await PostgresLedger.open(Access(server.url("mine")), tmp_path / "ledger") as ledger:
        intent_id = await plan(ledger)
        assert await ledger.claim(intent_id, "d1", T0 + MINUTE, {})
        end(server)  # type: ignore[operator]
        server.start()
        intent = await ledger.intent(intent_id)
        assert intent is not None
        assert intent.state is IntentState.SENDING
        await ledger.settle(intent_id, ended(IntentState.REJECTED), NOTHING, T0 + MINUTE, "d1")
        assert (await ledger.verify_audit()).fault is None


async def test_another_ledger_at_the_same_address_is_refused(postgres: Server, tmp_path: Path) -> None:
    create_database(postgres, "replaced")
    url = postgres.url("replaced")
    async with await PostgresLedger.open(Access(url), tmp_path / "ledger") as ledger:
        drop_database(postgres, "replaced")
        create_database(postgres, "replaced")
        async with await PostgresLedger.open(Access(url)) as other:
            assert await other.track([new_order(1)], T0) == 1
        with pytest.raises(LedgerError, match="has become another ledger"):
            await ledger.track([new_order(2)], T0)
    drop_database(postgres, "replaced")


async def test_what_was_planned_stays_when_the_plan_is_cut_off(ledger: PostgresLedger, proxy: Proxy) -> None:
    proxy.verdict = at_commit(CUT_AFTER)
    intent_id = await plan(ledger, draft(estimate="1"))
    assert [intent.id for intent in await ledger.intents([], 10)] == [intent_id]
    assert len(await ledger.firings(T0, T0 + DAY, 10)) == 1
