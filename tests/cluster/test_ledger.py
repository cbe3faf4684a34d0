"""Fences: what a worker decides counts while its lease lasts, and no two runs take the same things."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from smm_rules.cluster.database import ServerAway
from smm_rules.cluster.ledger import Fenced, WorkerLedger
from smm_rules.cluster.runs import current, epoch_of, owner_of, running
from smm_rules.cluster.turns import DECIDING, Turn
from smm_rules.engine.firing import IntentDraft
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.postgres import PostgresLedger
from smm_rules.ledger.records import IntentState, NewOrder, Observed, Sweep
from smm_rules.rules.model import StepKind
from tests.cluster.setting import PANEL, Site

MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def order(name: object) -> Entity:
    return Entity(EntityKind.ORDER, PANEL, str(name))


async def track(ledger: PostgresLedger, count: int, now: datetime) -> None:
    await ledger.track([NewOrder(order(number), "1", {"quantity": "100"}) for number in range(count)], now)


async def planned(ledger: WorkerLedger, now: datetime) -> int:
    draft = IntentDraft("ask.0", StepKind.CANCEL, PANEL, {"order": "1"}, None, None)
    return (await ledger.ask(draft, order(1), now, "tests")).id


async def test_a_claim_carries_the_epoch_of_its_lease(here: Site) -> None:
    lease, ledger = await here.lease(), await here.ledger()
    number = await planned(ledger, here.clock.now())
    with running(lease.epoch):
        assert await ledger.claim(number, "whoever", here.clock.now(), {}) is True
    intent = await ledger.intent(number)
    assert intent is not None
    assert (intent.state, epoch_of(intent.owner)) == (IntentState.SENDING, lease.epoch)


@pytest.mark.parametrize("how", ["ran out", "ended", "never was"])
async def test_without_a_lease_nothing_is_claimed(here: Site, how: str) -> None:
    lease, ledger = await here.lease(), await here.ledger()
    number = await planned(ledger, here.clock.now())
    epoch = lease.epoch
    if how == "ran out":
        await here.end_lease_now(epoch)
    elif how == "ended":
        await lease.end()
    else:
        epoch = 999
    with running(epoch):
        assert await ledger.claim(number, "whoever", here.clock.now(), {}) is False
    intent = await ledger.intent(number)
    assert intent is not None
    assert (intent.state, intent.attempts) == (IntentState.PLANNED, 0)
    assert await ledger.transitions(number) == (await ledger.transitions(number))[:1]


async def test_commands_claim_beside_workers_without_a_lease(here: Site) -> None:
    await here.lease()
    ledger = await PostgresLedger.open(here.access)
    here.stack.push_async_callback(ledger.aclose)
    number = await planned(ledger, here.clock.now())  # type: ignore[arg-type]  # only asks
    assert await ledger.claim(number, "operator:me", here.clock.now(), {}) is True


async def test_a_sweep_begun_under_an_ended_lease_is_dropped(here: Site) -> None:
    lease, ledger = await here.lease(), await here.ledger()
    now = here.clock.now()
    await track(ledger, 1, now)
    sweep = Sweep(now, (Observed(order(0), {"status": "Completed"}, True, now + MINUTE),))
    with running(lease.epoch):
        await ledger.due_orders(PANEL, now, 10)
        await here.end_lease_now(lease.epoch)
        with pytest.raises(Fenced):
            await ledger.record(sweep)
    watched = await ledger.watched(order(0))
    assert watched is not None
    assert watched.facts == {}


async def test_a_sweep_whose_things_were_taken_over_is_dropped(here: Site) -> None:
    """As after a crash of the server, which forgets who was asking about what."""
    lease, ledger = await here.lease(), await here.ledger()
    now = here.clock.now()
    await track(ledger, 2, now)
    with running(lease.epoch):
        assert len(await ledger.due_orders(PANEL, now, 10)) == 2
        await here.database.rows("DELETE FROM reads")
        with pytest.raises(Fenced):
            await ledger.record(Sweep(now, (Observed(order(0), {}, False, now + MINUTE),)))


async def test_what_was_judged_by_rules_that_are_no_longer_in_force_is_dropped(here: Site) -> None:
    """As when a worker stands still in its turn for so long that the server ends that, and not its lease."""
    lease, ledger = await here.lease(), await here.ledger()
    put = "INSERT INTO rules (digest, questions, versions, worker) VALUES ('d', '{}', '{}', 'w')"
    await here.database.rows(put)
    now = here.clock.now()
    await track(ledger, 1, now)
    sweep = Sweep(now, (Observed(order(0), {"status": "Completed"}, True, now + MINUTE),))
    with running(lease.epoch):
        await ledger.due_orders(PANEL, now, 10)
        async with Turn(here.turns, DECIDING, PANEL, lambda: 1):
            await here.database.rows(put)
            with pytest.raises(Fenced, match="other rules are in force"):
                await ledger.record(sweep)
        async with Turn(here.turns, DECIDING, PANEL, lambda: 2):
            await ledger.record(sweep)


async def test_what_became_of_an_action_is_written_whatever_became_of_the_lease(here: Site) -> None:
    from smm_rules.engine.firing import Continuation
    from smm_rules.ledger.records import Outcome

    lease, ledger = await here.lease(), await here.ledger()
    number = await planned(ledger, here.clock.now())
    with running(lease.epoch):
        await ledger.claim(number, "", here.clock.now(), {})
        await lease.end()
        outcome = Outcome(IntentState.CONFIRMED, "accepted", result="")
        settled = await ledger.settle(number, outcome, Continuation(), here.clock.now(), "one")
    assert settled.state is IntentState.CONFIRMED


async def test_no_two_runs_take_the_same_orders(here: Site) -> None:
    leases = [await here.lease(f"worker {number}") for number in range(4)]
    ledgers = [await here.ledger() for _ in leases]
    now = here.clock.now()
    await track(ledgers[0], 100, now)

    async def take(number: int) -> list[str]:
        with running(leases[number].epoch):
            return [one.id for one in await ledgers[number].due_orders(PANEL, now, 30)]

    taken = await asyncio.gather(*(take(number) for number in range(4)))
    names = [name for some in taken for name in some]
    assert sorted(map(len, taken)) == [10, 30, 30, 30]
    assert len(set(names)) == 100


async def test_the_most_overdue_are_taken_first_and_what_is_freed_is_taken_again(here: Site) -> None:
    lease, ledger = await here.lease(), await here.ledger()
    now = here.clock.now()
    for number in range(6):
        await ledger.track([NewOrder(order(number), "1")], now - (10 - number) * MINUTE)
    with running(lease.epoch) as run:
        assert [one.id for one in await ledger.due_orders(PANEL, now, 3)] == ["0", "1", "2"]
        assert run.taken == 3
    with running(lease.epoch):
        assert [one.id for one in await ledger.due_orders(PANEL, now, 2)] == ["3", "4"]
    await here.database.rows("DELETE FROM reads WHERE run = %s", (run.number,))
    with running(lease.epoch):
        assert [one.id for one in await ledger.due_orders(PANEL, now, 10)] == ["0", "1", "2", "5"]


async def test_refills_are_taken_by_one_run_too(here: Site) -> None:
    lease, ledger = await here.lease(), await here.ledger()
    now = here.clock.now()
    await track(ledger, 3, now)
    with running(lease.epoch):
        assert len(await ledger.due(EntityKind.ORDER, PANEL, now, 2)) == 2
    with running(lease.epoch):
        assert len(await ledger.due(EntityKind.ORDER, PANEL, now, 2)) == 1


async def test_a_worker_decides_within_a_run_alone(here: Site) -> None:
    ledger = await here.ledger()
    with pytest.raises(RuntimeError, match="within a run"):
        await ledger.due_orders(PANEL, NOON, 1)
    with pytest.raises(RuntimeError):
        current()


def test_owners_name_epochs_and_nobody_elses_names_do() -> None:
    assert epoch_of(owner_of(12)) == 12
    assert [epoch_of(name) for name in ("daemon", "operator:worker/3", "worker/", "worker/x")] == [None] * 4


async def test_a_server_that_is_away_is_told_apart(here: Site) -> None:
    with pytest.raises(ServerAway):
        await here.database.rows("SELECT pg_terminate_backend(pg_backend_pid())")
